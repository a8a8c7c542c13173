//! Kinds of one's own: read like the others, and apps from then on.

use serde::Deserialize;
use stageplot_topology::{
    App, Built, CustomKind, CustomKinds, Document, Findings, Format, InvalidKind, Name, Opening, Plot, Port,
    Protocol, SecretRef, ServiceSpec, Source,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Radio {
    /// Listeners' port.
    #[serde(default = "port")]
    listen: Port,
    password: SecretRef,
    #[serde(default)]
    listeners: u16,
    #[serde(default)]
    needs: Vec<Name>,
    #[serde(default)]
    title: String,
}

fn port() -> Port {
    Port::fixed(8000)
}

impl CustomKind for Radio {
    const NAME: &str = "radio";

    fn into_app(self) -> Result<App, String> {
        if self.listeners == 0 {
            return Err("nobody may listen\nhelp: set listeners".to_owned());
        }
        let listen = Opening { port: self.listen, from: vec![Source::Any], protocol: Protocol::Tcp };
        Ok(App {
            image: "registry.example.com/radio:1".parse().ok(),
            open: [("listen".parse().expect("a name"), listen)].into(),
            env: [("PASSWORD".to_owned(), self.password.into()), ("TITLE".to_owned(), self.title.into())]
                .into(),
            needs: self.needs,
            ..App::default()
        })
    }
}

fn kinds() -> CustomKinds {
    CustomKinds::new().with::<Radio>().expect("a kind")
}

/// Reads a plot of a node with the roles `one` and `radio`, and these services.
fn read(services: &str) -> Result<Built, Findings> {
    let text = format!(
        "name = \"live\"\n[nodes.front]\npublic = \"203.0.113.10\"\nroles = [\"one\", \"radio\"]\n{services}"
    );
    let document = Document::parse(Format::Toml, "stageplot.toml", &text)?;
    Plot::read_with(&document, &kinds())
}

/// Everything that is found: how each begins, and what it says as well.
#[track_caller]
fn finds(services: &str, expected: &[(&str, &str)]) {
    let findings = read(services).expect_err("mistakes");
    let found: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, (start, says)) in found.iter().zip(expected) {
        assert!(found.starts_with(start) && found.contains(says), "{found}, not {start} … {says}");
    }
}

const SOUND: &str = r#"
[services.one]
kind = "radio"
password = { env = "ONE" }
listeners = 10
listen = 8001
[radio]
password = { env = "TWO" }
listeners = 20
"#;

#[test]
fn both_forms_stand_for_apps() {
    let topology = read(SOUND).expect("sound").topology;
    let ports: Vec<_> = topology.endpoints().iter().map(|endpoint| endpoint.ports.to_string()).collect();
    assert_eq!(ports, ["8001", "8000"]);
    assert!(topology.services().iter().all(|service| matches!(service.kind, ServiceSpec::App(_))));
    assert_eq!(topology.secrets().len(), 2);
    // What is written of the plot needs no such kind to be read.
    let written = topology.plot().to_toml().expect("TOML");
    let document = Document::parse(Format::Toml, "stageplot.toml", &written).expect("TOML");
    assert_eq!(Plot::read(&document).expect("sound").topology.plot(), topology.plot());
}

#[test]
fn mistakes_are_found_all_at_once_with_their_places() {
    finds(
        "[services.one]\nkind = \"radio\"\npasword = { env = \"ONE\" }\nlisten = 0\n\
         [services.\"Radio 2\"]\nkind = \"radio\"\npassword = { env = \"TWO\" }\nlisteners = 1\n\
         [radio]\nkind = \"radio\"\npassword = { env = \"ONE\" }\n",
        &[
            ("error[unknown-field]: 7:1: services.one.pasword: ", "did you mean `password`?"),
            ("error[invalid-value]: 8:10: services.one.listen: ", "between 1 and 65535"),
            ("error[invalid-value]: 9:11: services.\"Radio 2\": ", "is not a name"),
            ("error[unknown-field]: 14:1: radio.kind: ", "unknown field `kind` in radio"),
        ],
    );
}

#[test]
fn a_table_that_stands_for_no_app_is_told_why() {
    let silent = SOUND.replace("listeners = 10\n", "").replace("listeners = 20\n", "");
    finds(
        &silent,
        &[
            ("error[invalid-value]: 6:1: services.one: nobody may listen (help: set listeners)", ""),
            ("error[invalid-value]: 10:1: radio: nobody may listen (help: set listeners)", ""),
        ],
    );
}

#[test]
fn names_of_kinds_are_known_and_suggested() {
    finds(
        "[services.one]\nkind = \"radoi\"\n[rdio]\n[services.radio]\n",
        &[
            ("error[invalid-value]: 6:8: services.one.kind: ", "did you mean `radio`?"),
            ("error[unknown-field]: 7:2: rdio: ", "did you mean `radio`?"),
            ("error[missing-field]: 8:1: services.radio.kind: ", "add kind = \"radio\""),
        ],
    );
    finds(
        &format!("{SOUND}[services.radio]\nkind = \"radio\"\npassword = {{ env = \"X\" }}\nlisteners = 1\n"),
        &[("error[duplicate-service]: 11:1: radio: ", "[radio] and [services.radio] are the same service")],
    );
}

#[test]
fn findings_about_the_app_are_told_of_the_table() {
    let mistaken = SOUND.replace("listeners = 20", "listeners = 20\ntitle = \"${x.y}\"");
    finds(
        &mistaken,
        &[("error[env-reference]: 11:1: radio: ", "(`env.TITLE` of the app that radio stands for)")],
    );
}

#[test]
fn a_name_that_means_something_is_refused() {
    struct Taken<const N: usize>;
    impl<'de, const N: usize> Deserialize<'de> for Taken<N> {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    impl<const N: usize> CustomKind for Taken<N> {
        const NAME: &str = ["redis", "nodes", "Radio", "radio"][N];
        fn into_app(self) -> Result<App, String> {
            Ok(App::default())
        }
    }
    assert!(matches!(CustomKinds::new().with::<Taken<0>>(), Err(InvalidKind::Taken("redis"))));
    assert!(matches!(CustomKinds::new().with::<Taken<1>>(), Err(InvalidKind::Taken("nodes"))));
    assert!(matches!(CustomKinds::new().with::<Taken<2>>(), Err(InvalidKind::Name("Radio", _))));
    assert!(CustomKinds::new().with::<Taken<3>>().is_ok());
    assert!(matches!(kinds().with::<Taken<3>>(), Err(InvalidKind::Taken("radio"))));
}
