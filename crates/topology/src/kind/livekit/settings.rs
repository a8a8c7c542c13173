//! The settings of `livekit.yaml`, which LiveKit reads strictly: one that it
//! does not know stops it.
//!
//! What is known stands in one table ([`table::ROOT`]), taken from the structs
//! that LiveKit decodes the file into: `Config` in `pkg/config/config.go` of
//! `github.com/livekit/livekit-server`, and those of `mediatransportutil`,
//! `protocol` and `psrpc` that it holds, at the versions its `go.mod` names. A
//! test holds the table against that source for every supported version.

mod congestion;
mod rtc;
mod shape;
mod table;
#[cfg(test)]
mod upstream;

use serde_json::{Map, Value};

use self::shape::{Keys, Owner, Shape};
use super::LivekitVersion;
use crate::words;

/// What is wrong with a setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// No supported version knows it.
    Unknown {
        /// One that the version knows, and that is spelled much the same.
        near: Option<String>,
        /// The field of the service that writes the near one.
        field: Option<&'static str>,
    },
    /// Other versions know it, this one does not.
    OtherVersion {
        /// Which do, as in `1.13.5 and later`.
        known: String,
    },
    /// A field of the service writes it.
    HasField {
        /// The field.
        field: &'static str,
    },
    /// It follows from the rest of the plot.
    Follows {
        /// From what.
        from: &'static str,
    },
    /// Its value is of another type.
    WrongType {
        /// What to write.
        expected: &'static str,
    },
    /// It is a secret, and stands in the plot.
    Secret,
}

/// Every setting that cannot or should not be written for this version, with
/// its path. Positions in lists are numbers in the path.
pub(super) fn unknown(version: LivekitVersion, settings: &Map<String, Value>) -> Vec<(Vec<String>, Problem)> {
    let mut problems = Vec::new();
    Walk { version, path: Vec::new(), problems: &mut problems }.table(table::ROOT, settings);
    problems
}

struct Walk<'a> {
    version: LivekitVersion,
    path: Vec<String>,
    problems: &'a mut Vec<(Vec<String>, Problem)>,
}

impl Walk<'_> {
    fn table(&mut self, keys: Keys, table: &Map<String, Value>) {
        for (name, value) in table {
            self.path.push(name.clone());
            match keys.iter().find(|setting| setting.name == name) {
                None => {
                    let (near, field) = self.near(keys, name);
                    self.found(Problem::Unknown { near, field });
                }
                Some(setting) if !setting.is_known_to(self.version) => {
                    let known = match (setting.since, setting.until) {
                        (Some(first), None) => format!("{first} and later"),
                        (None, Some(last)) => format!("{last} and earlier"),
                        (first, last) => [first, last].into_iter().flatten().map(|v| v.to_string()).collect(),
                    };
                    self.found(Problem::OtherVersion { known });
                }
                Some(setting) => match setting.owner {
                    Owner::Field(field) => self.found(Problem::HasField { field }),
                    Owner::Plot(from) => self.found(Problem::Follows { from }),
                    Owner::Settings => {
                        if setting.secret && value.as_str().is_some_and(|text| !text.is_empty()) {
                            self.found(Problem::Secret);
                        }
                        self.value(setting.shape, value);
                    }
                },
            }
            self.path.pop();
        }
    }

    fn value(&mut self, shape: Shape, value: &Value) {
        if !shape.fits(value) {
            self.found(Problem::WrongType { expected: shape.expected() });
            return;
        }
        match (shape, value) {
            (Shape::Table(keys), Value::Object(table)) => self.table(keys, table),
            (Shape::Map(inner), Value::Object(table)) => {
                self.each(*inner, table.iter().map(|(name, value)| (name.clone(), value)));
            }
            (Shape::List(inner), Value::Array(list)) => {
                self.each(*inner, list.iter().enumerate().map(|(index, value)| (index.to_string(), value)));
            }
            _ => {}
        }
    }

    fn each<'v>(&mut self, shape: Shape, values: impl Iterator<Item = (String, &'v Value)>) {
        for (step, value) in values {
            self.path.push(step);
            self.value(shape, value);
            self.path.pop();
        }
    }

    fn found(&mut self, problem: Problem) {
        self.problems.push((self.path.clone(), problem));
    }

    /// The known key beside `name` that is spelled much like it, with its path; or the
    /// field that writes it. One that follows from the plot is none to suggest.
    fn near(&self, keys: Keys, name: &str) -> (Option<String>, Option<&'static str>) {
        let known = || keys.iter().filter(|setting| setting.is_known_to(self.version));
        let near = words::nearest(name, known().map(|setting| setting.name));
        let Some(near) = near.and_then(|near| known().find(|setting| setting.name == near)) else {
            return (None, None);
        };
        match near.owner {
            Owner::Field(field) => (None, Some(field)),
            Owner::Plot(_) => (None, None),
            Owner::Settings => {
                let mut path = self.path.clone();
                path.pop();
                path.push(near.name.to_owned());
                (Some(path.join(".")), None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OLD: LivekitVersion = LivekitVersion::new(1, 9, 12);

    fn problems(version: LivekitVersion, settings: Value) -> Vec<(String, Problem)> {
        let Value::Object(settings) = settings else { panic!("settings are a table") };
        unknown(version, &settings).into_iter().map(|(path, problem)| (path.join("."), problem)).collect()
    }

    #[test]
    fn what_livekit_knows_and_no_field_writes_is_taken() {
        let settings = json!({
            "rtc": {
                "use_ice_lite": true,
                "stun_servers": ["stun.example.com:3478"],
                "congestion_control": { "send_side_bwe": { "congestion_detector": { "jqr_min_delay": "50ms" } } },
                "turn_servers": [{ "host": "turn.example.com", "port": 3478 }],
            },
            "logging": { "component_levels": { "anything at all": "debug" } },
            "room": { "room_configurations": { "big": { "max_participants": 9 } }, "enabled_codecs": [{ "mime": "audio/opus" }] },
            "node_selector": { "cpu_load_limit": 1 },
            "sip": {},
        });
        assert_eq!(problems(LivekitVersion::LATEST, settings), []);
    }

    #[test]
    fn a_key_is_held_against_the_version() {
        let settings = json!({ "turn": { "ttl_seconds": 60 }, "room": { "create_room_enabled": true } });
        assert_eq!(
            problems(OLD, settings.clone()),
            [("turn.ttl_seconds".to_owned(), Problem::OtherVersion { known: "1.13.5 and later".into() })]
        );
        assert_eq!(
            problems(LivekitVersion::LATEST, settings),
            [(
                "room.create_room_enabled".to_owned(),
                Problem::OtherVersion { known: "1.11.0 and earlier".into() }
            )]
        );
    }

    #[test]
    fn unknown_keys_are_found_at_any_depth() {
        let settings = json!({
            "rtx": {},
            "rtc": { "turn_servers": [{ "host": "a" }, { "hots": "b" }] },
            "video": { "stream_tracker_manager": { "video": { "frame_tracker": { "0": { "mx_fps": 1 } } } } },
        });
        let paths: Vec<_> =
            problems(LivekitVersion::LATEST, settings).into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            paths,
            ["rtx", "rtc.turn_servers.1.hots", "video.stream_tracker_manager.video.frame_tracker.0.mx_fps"]
        );
    }

    #[test]
    fn what_is_near_a_setting_that_a_field_writes_is_that_field() {
        let settings = json!({ "rtc": { "tcp_prt": 1, "node_pi": "192.0.2.1", "use_ice_lit": true } });
        let unknown = |near: Option<&str>, field| Problem::Unknown { near: near.map(str::to_owned), field };
        assert_eq!(
            problems(LivekitVersion::LATEST, settings),
            [
                ("rtc.tcp_prt".to_owned(), unknown(None, Some("tcp-port"))),
                ("rtc.node_pi".to_owned(), unknown(None, None)),
                ("rtc.use_ice_lit".to_owned(), unknown(Some("rtc.use_ice_lite"), None)),
            ]
        );
    }

    #[test]
    fn what_the_plot_says_is_not_said_again() {
        let settings = json!({ "port": 1, "rtc": { "node_ip": "192.0.2.1", "udp_port": 7882 }, "keys": {}, "region": "eu" });
        assert_eq!(
            problems(OLD, settings),
            [
                ("port".to_owned(), Problem::HasField { field: "port" }),
                ("rtc.node_ip".to_owned(), Problem::Follows { from: "each node's addresses" }),
                ("rtc.udp_port".to_owned(), Problem::HasField { field: "udp" }),
                ("keys".to_owned(), Problem::HasField { field: "keys" }),
                ("region".to_owned(), Problem::Follows { from: "each node's region" }),
            ]
        );
    }

    #[test]
    fn values_are_of_the_type_that_livekit_decodes() {
        let settings = json!({
            "rtc": { "stun_servers": "stun.example.com:3478", "pli_throttle": { "low_quality": 500 } },
            "limit": "none",
            "audio": { "active_level": 300 },
        });
        let expected: Vec<_> = problems(LivekitVersion::LATEST, settings)
            .into_iter()
            .map(|(path, problem)| match problem {
                Problem::WrongType { expected } => (path, expected),
                other => panic!("{path}: {other:?}"),
            })
            .collect();
        assert_eq!(
            expected,
            [
                ("rtc.stun_servers".to_owned(), "a list"),
                ("rtc.pli_throttle.low_quality".to_owned(), "a time such as \"500ms\" or \"10s\""),
                ("limit".to_owned(), "a table"),
                ("audio.active_level".to_owned(), "a whole number from 0 to 255"),
            ]
        );
    }

    #[test]
    fn secrets_among_the_settings_are_pointed_out() {
        let settings = json!({ "rtc": { "turn_servers": [{ "secret": "hunter2" }] } });
        assert_eq!(
            problems(LivekitVersion::LATEST, settings),
            [("rtc.turn_servers.0.secret".to_owned(), Problem::Secret)]
        );
    }
}
