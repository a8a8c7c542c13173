//! Stretches of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A stretch of time in whole seconds, written `30s`, `5m`, `2h` or `1h 30m`.
///
/// ```
/// use stageplot_topology::Period;
///
/// let drain: Period = "1h 30m".parse()?;
/// assert_eq!(drain.seconds(), 5400);
/// assert_eq!(drain.to_string(), "1h30m");
/// assert!("90".parse::<Period>().is_err());
/// # Ok::<(), stageplot_topology::InvalidPeriod>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u32);

impl Period {
    /// The longest period: a year.
    pub const MAX_SECONDS: u32 = 366 * 24 * 3600;

    /// So many seconds, at most [`Period::MAX_SECONDS`].
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(if seconds > Self::MAX_SECONDS { Self::MAX_SECONDS } else { seconds })
    }

    /// The length in seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// The length as the standard library has it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use stageplot_topology::Period;
    ///
    /// assert_eq!(Period::from_seconds(90).duration(), Duration::from_secs(90));
    /// ```
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

/// Why a text is not a [`Period`].
///
/// See [`Period`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time: write whole seconds, minutes or hours up to a year, such as 30s, 5m or 2h")]
pub struct InvalidPeriod(String);

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidPeriod(super::shorten(text));
        let duration = humantime::parse_duration(text).map_err(|_| invalid())?;
        let seconds = u32::try_from(duration.as_secs()).map_err(|_| invalid())?;
        if duration.subsec_nanos() != 0 || seconds > Self::MAX_SECONDS {
            return Err(invalid());
        }
        Ok(Self(seconds))
    }
}

impl fmt::Display for Period {
    /// As systemd, Caddy and Compose all read it: `1h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        if seconds > 0 || self.0 == 0 {
            write!(f, "{seconds}s")?;
        }
        Ok(())
    }
}

super::text_value!(Period, "a time such as \"30s\", \"5m\" or \"2h\"", None);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0..=Period::MAX_SECONDS) {
            let period = Period::from_seconds(seconds);
            prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        }
    }
}
