//! What a setting's value looks like, and which versions know it.

use serde_json::Value;

use super::super::LivekitVersion;

pub(super) const V1_11_0: LivekitVersion = LivekitVersion::new(1, 11, 0);
pub(super) const V1_13_5: LivekitVersion = LivekitVersion::new(1, 13, 5);

/// The settings of one table.
pub(super) type Keys = &'static [Setting];

/// One key of a table.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// The first supported version that knows it; all do where not set.
    pub(super) since: Option<LivekitVersion>,
    /// The last supported version that knows it; all later ones do where not set.
    pub(super) until: Option<LivekitVersion>,
    pub(super) owner: Owner,
    pub(super) secret: bool,
}

/// Who writes a setting.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    /// The operator, in `settings`.
    Settings,
    /// A field of the service.
    Field(&'static str),
    /// What the rest of the plot says.
    Plot(&'static str),
}

/// A setting that every supported version knows.
pub(super) const fn key(name: &'static str, shape: Shape) -> Setting {
    Setting { name, shape, since: None, until: None, owner: Owner::Settings, secret: false }
}

impl Setting {
    pub(super) const fn since(mut self, first: LivekitVersion) -> Self {
        self.since = Some(first);
        self
    }

    pub(super) const fn until(mut self, last: LivekitVersion) -> Self {
        self.until = Some(last);
        self
    }

    pub(super) const fn field(mut self, field: &'static str) -> Self {
        self.owner = Owner::Field(field);
        self
    }

    pub(super) const fn plot(mut self, from: &'static str) -> Self {
        self.owner = Owner::Plot(from);
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    pub(super) fn is_known_to(&self, version: LivekitVersion) -> bool {
        self.since.is_none_or(|first| first <= version) && self.until.is_none_or(|last| version <= last)
    }
}

/// What a value looks like.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Bool,
    /// Go's integers by sign and size; LiveKit refuses what does not fit.
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Float,
    Text,
    /// Go's `time.Duration`: `"500ms"`, `"1h30m"`. A bare number would be taken
    /// as nanoseconds, which nobody means, so it is refused.
    Duration,
    /// A port, or a range as text.
    Ports,
    List(&'static Shape),
    /// A table whose keys are anybody's.
    Map(&'static Shape),
    Table(Keys),
    /// A protobuf message, decoded by rules of its own; left to LiveKit.
    Any,
}

impl Shape {
    /// Whether a value has this shape on the outside; what it holds is looked at
    /// one by one.
    pub(super) fn fits(self, value: &Value) -> bool {
        let within = |first: i128, last: i128| {
            let number = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
            number.is_some_and(|number| (first..=last).contains(&number))
        };
        match self {
            Self::Bool => value.is_boolean(),
            Self::I32 => within(i32::MIN.into(), i32::MAX.into()),
            Self::I64 => within(i64::MIN.into(), i64::MAX.into()),
            Self::U8 => within(0, u8::MAX.into()),
            Self::U16 => within(0, u16::MAX.into()),
            Self::U32 => within(0, u32::MAX.into()),
            Self::U64 => within(0, u64::MAX.into()),
            Self::Float => value.is_number(),
            Self::Text => value.is_string(),
            Self::Duration => value.as_str().is_some_and(is_go_duration),
            Self::Ports => {
                within(1, u16::MAX.into())
                    || value.as_str().is_some_and(|text| text.parse::<crate::PortRange>().is_ok())
            }
            Self::List(_) => value.is_array(),
            Self::Map(_) | Self::Table(_) => value.is_object(),
            Self::Any => true,
        }
    }

    /// What to write, for a message.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::I32 | Self::I64 => "a whole number",
            Self::U8 => "a whole number from 0 to 255",
            Self::U16 => "a whole number from 0 to 65535",
            Self::U32 | Self::U64 => "a whole number, not negative",
            Self::Float => "a number",
            Self::Text => "a text",
            Self::Duration => "a time such as \"500ms\" or \"10s\"",
            Self::Ports => "a port, or a range such as \"7882-7892\"",
            Self::List(_) => "a list",
            Self::Map(_) | Self::Table(_) => "a table",
            Self::Any => "anything",
        }
    }
}

/// Whether Go's `time.ParseDuration` takes a text: a sign, then numbers with
/// their units, or a bare 0.
fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, behind) = after.split_at(unit_end);
        let is_number = number.chars().any(|c| c.is_ascii_digit()) && number.matches('.').count() <= 1;
        if !is_number || !matches!(unit, "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h") {
            return false;
        }
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_what_go_takes() {
        for text in ["0", "500ms", "1h30m", "-1.5s", "+.5s", "1.h", "100µs"] {
            assert!(is_go_duration(text), "{text}");
        }
        for text in ["", "-", "5", "1d", "ms", "1s ", "1 s", "1..5s", ".s", "1s5"] {
            assert!(!is_go_duration(text), "{text}");
        }
    }

    #[test]
    fn numbers_that_go_can_not_hold_do_not_fit() {
        assert!(Shape::U8.fits(&255.into()) && !Shape::U8.fits(&256.into()));
        assert!(!Shape::U32.fits(&(-1).into()) && Shape::I32.fits(&(-1).into()));
        assert!(Shape::U64.fits(&u64::MAX.into()) && !Shape::I64.fits(&u64::MAX.into()));
        assert!(!Shape::I64.fits(&1.5.into()) && Shape::Float.fits(&1.into()));
    }
}
