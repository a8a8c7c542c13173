//! Amounts of memory.

use std::fmt;
use std::str::FromStr;

/// An amount of memory in bytes.
///
/// It is written `512mb` or `2gb`, which Redis, Docker and systemd all take for
/// powers of 1024. A bare `2g`, which is another number to Redis than to Docker,
/// is refused.
///
/// ```
/// use stageplot_topology::ByteSize;
///
/// let size: ByteSize = "2gb".parse()?;
/// assert_eq!(size.bytes(), 2 << 30);
/// assert_eq!(size.to_string(), "2gb");
/// assert!("2g".parse::<ByteSize>().is_err());
/// # Ok::<(), stageplot_topology::InvalidByteSize>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// So many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many mebibytes (2^20 bytes).
    ///
    /// ```
    /// use stageplot_topology::ByteSize;
    ///
    /// assert_eq!(ByteSize::from_mib(512), ByteSize::from_bytes(512 << 20));
    /// ```
    pub const fn from_mib(mib: u32) -> Self {
        Self((mib as u64) << 20)
    }

    /// The amount in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// Why a text is not a [`ByteSize`].
///
/// See [`ByteSize`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an amount of memory: write a whole number with b, kb, mb, gb or tb, such as 512mb")]
pub struct InvalidByteSize(String);

/// Each unit with its shift, largest first.
///
/// No terabytes: Redis does not know the word.
const UNITS: [(&str, u32); 3] = [("gb", 30), ("mb", 20), ("kb", 10)];

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidByteSize(super::shorten(text));
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
        let (number, unit) = lower.split_at(digits);
        let shift = match unit.trim_start() {
            "" | "b" => 0,
            "kb" | "kib" => 10,
            "mb" | "mib" => 20,
            "gb" | "gib" => 30,
            "tb" | "tib" => 40,
            _ => return Err(invalid()),
        };
        let number: u64 = number.parse().map_err(|_| invalid())?;
        number.checked_mul(1 << shift).map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |shift: u32| self.0 != 0 && self.0.is_multiple_of(1 << shift);
        match UNITS.iter().find(|(_, shift)| whole(*shift)) {
            Some((unit, shift)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}b", self.0),
        }
    }
}

super::text_value!(
    ByteSize,
    "an amount of memory such as \"512mb\" or \"2gb\"",
    Some("^[0-9]+ *([kKmMgGtT]?[iI]?[bB])?$")
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes: u64) {
            let size = ByteSize::from_bytes(bytes);
            prop_assert_eq!(size.to_string().parse::<ByteSize>(), Ok(size));
        }
    }

    #[test]
    fn a_unit_that_programs_read_differently_is_refused() {
        assert!("2g".parse::<ByteSize>().is_err());
        assert_eq!("1tb".parse::<ByteSize>().map(|size| size.to_string()), Ok("1024gb".to_owned()));
    }

    #[test]
    fn an_overflow_is_refused() {
        assert!("99999999999tb".parse::<ByteSize>().is_err());
    }
}
