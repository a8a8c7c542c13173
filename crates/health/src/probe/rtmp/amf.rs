//! AMF 0, in which RTMP's commands are written (Adobe's specification of December 2007).

/// A value of a command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Boolean(bool),
    Text(String),
    Object(Vec<(String, Value)>),
    Null,
    /// One that nobody here asks for: a list, or a date.
    Other,
}

/// How deep objects may lie in each other.
const DEPTH: usize = 8;

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A field of an object that is a text.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find_map(|(key, value)| match value {
            Self::Text(text) if key == name => Some(text.as_str()),
            _ => None,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => {
                out.push(0);
                out.extend(number.to_be_bytes());
            }
            Self::Boolean(boolean) => out.extend([1, u8::from(*boolean)]),
            Self::Text(text) => {
                out.push(2);
                write_short(text, out);
            }
            Self::Object(fields) => {
                out.push(3);
                for (name, value) in fields {
                    write_short(name, out);
                    value.write(out);
                }
                out.extend([0, 0, 9]);
            }
            Self::Null | Self::Other => out.push(5),
        }
    }

    /// All values of a command; of what is cut off or unknown, those that come before.
    pub(super) fn read_all(mut bytes: &[u8]) -> Vec<Self> {
        std::iter::from_fn(|| Self::read(&mut bytes, DEPTH)).collect()
    }

    fn read(bytes: &mut &[u8], depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let [kind] = take(bytes)?;
        Some(match kind {
            0 => Self::Number(f64::from_be_bytes(take(bytes)?)),
            1 => Self::Boolean(take::<1>(bytes)? != [0]),
            2 => Self::Text(read_short(bytes)?),
            3 => Self::Object(read_fields(bytes, depth)?),
            5 | 6 => Self::Null,
            8 => {
                // How many there are is said, and means nothing.
                take::<4>(bytes)?;
                Self::Object(read_fields(bytes, depth)?)
            }
            10 => {
                let count = u32::from_be_bytes(take(bytes)?);
                for _ in 0..count {
                    Self::read(bytes, depth)?;
                }
                Self::Other
            }
            11 => {
                take::<10>(bytes)?;
                Self::Other
            }
            12 => {
                let length = u32::from_be_bytes(take(bytes)?);
                Self::Text(read_text(bytes, usize::try_from(length).ok()?)?)
            }
            _ => return None,
        })
    }
}

fn write_short(text: &str, out: &mut Vec<u8>) {
    // What does not fit is no name, and no address.
    let length = u16::try_from(text.len()).unwrap_or(0);
    out.extend(length.to_be_bytes());
    out.extend(&text.as_bytes()[..length.into()]);
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn read_text(bytes: &mut &[u8], length: usize) -> Option<String> {
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(String::from_utf8_lossy(text).into_owned())
}

fn read_short(bytes: &mut &[u8]) -> Option<String> {
    let length = u16::from_be_bytes(take(bytes)?);
    read_text(bytes, length.into())
}

fn read_fields(bytes: &mut &[u8], depth: usize) -> Option<Vec<(String, Value)>> {
    let mut fields = Vec::new();
    loop {
        let name = read_short(bytes)?;
        if name.is_empty() {
            // The mark of the end.
            return (take(bytes)? == [9]).then_some(fields);
        }
        fields.push((name, Value::read(bytes, depth)?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let values = [
            Value::text("onStatus"),
            Value::Number(-2.5),
            Value::Null,
            Value::Boolean(true),
            Value::Object(vec![
                ("code".to_owned(), Value::text("NetStream.Publish.Start")),
                ("inner".to_owned(), Value::Object(vec![("level".to_owned(), Value::Boolean(false))])),
            ]),
        ];
        let mut bytes = Vec::new();
        values.iter().for_each(|value| value.write(&mut bytes));
        assert_eq!(Value::read_all(&bytes), values);
        assert_eq!(values[4].field("code"), Some("NetStream.Publish.Start"));
        // Wherever it is cut off, what is whole comes.
        for end in 0..bytes.len() {
            assert!(Value::read_all(&bytes[..end]).len() < values.len());
        }
    }

    #[test]
    fn nobody_is_led_too_deep_nor_too_far() {
        let deep: Vec<u8> = [3, 0, 1, b'a'].repeat(1000);
        assert!(Value::read_all(&deep).is_empty());
        assert!(Value::read_all(&[10, 0xff, 0xff, 0xff, 0xff, 5]).is_empty());
        assert!(Value::read_all(&[12, 0xff, 0xff, 0xff, 0xff]).is_empty());
    }
}
