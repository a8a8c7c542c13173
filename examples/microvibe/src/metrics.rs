//! Numbers, in Prometheus' text format.

use std::fmt::{Display, Write as _};

/// What the format calls itself.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Numbers that go up and down.
#[derive(Debug, Default)]
pub(crate) struct Metrics(String);

impl Metrics {
    /// One number.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help);
        // Text takes all that is written.
        let _ = writeln!(self.0, "{name} {value}");
    }

    /// One number of each service. Names of services need no escapes.
    pub(crate) fn of_services<V: Display>(&mut self, name: &str, help: &str, values: &[(&str, V)]) {
        self.head(name, help);
        for (service, value) in values {
            let _ = writeln!(self.0, "{name}{{service=\"{service}\"}} {value}");
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_can_read_them() {
        let mut metrics = Metrics::default();
        metrics.gauge("microvibe_rooms", "Rooms that have not ended.", 3);
        metrics.of_services("microvibe_service_up", "1 where it answers.", &[("redis", 0)]);
        let expected = "# HELP microvibe_rooms Rooms that have not ended.\n# TYPE microvibe_rooms gauge\n\
                        microvibe_rooms 3\n# HELP microvibe_service_up 1 where it answers.\n\
                        # TYPE microvibe_service_up gauge\nmicrovibe_service_up{service=\"redis\"} 0\n";
        assert_eq!(metrics.into_text(), expected);
    }
}
