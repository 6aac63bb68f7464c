//! The report as JSON: the types as they are, `"schema": "mains.scan/1"` first.

use super::Report;

impl Report {
    /// JSON, indented, with a line end. The fields are those of [`Report`].
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_else(|_| "{}".to_owned());
        text.push('\n');
        text
    }

    /// One line of JSON for each place of each finding, worst first.
    pub fn to_json_lines(&self) -> String {
        let mut lines = String::new();
        for group in &self.models {
            for at in &group.places {
                let line = serde_json::json!({
                    "schema": self.schema, "rule": group.rule, "host": group.host, "id": group.id,
                    "state": group.state, "ends_on": group.ends_on, "days_left": group.days_left, "at": at,
                });
                lines.push_str(&line.to_string());
                lines.push('\n');
            }
        }
        for group in &self.endpoints {
            for at in &group.places {
                let line = serde_json::json!({
                    "schema": self.schema, "rule": group.rule, "host": group.host, "id": group.name,
                    "ends_on": group.ends_on, "days_left": group.days_left, "at": at,
                });
                lines.push_str(&line.to_string());
                lines.push('\n');
            }
        }
        lines
    }
}
