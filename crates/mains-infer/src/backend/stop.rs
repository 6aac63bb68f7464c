//! Ending an answer at a text, also when the text comes in pieces.

use crate::Error;

/// Texts that end an answer; more would be a mistake or an attack.
const STOP_COUNT_MAX: usize = 16;
/// Bytes of one such text.
const STOP_BYTES_MAX: usize = 256;

/// Holds back whatever might become a stop text.
pub(super) struct StopFilter {
    stops: Vec<String>,
    held: String,
}

/// What a piece of text led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// Text that may go out.
    pub(super) text: String,
    /// Whether a stop text came; what follows it is dropped.
    pub(super) stopped: bool,
}

impl StopFilter {
    pub(super) fn new(stops: &[String]) -> Result<Self, Error> {
        if stops.len() > STOP_COUNT_MAX {
            return Err(Error::request(format!("at most {STOP_COUNT_MAX} stop texts, not {}", stops.len())));
        }
        if stops.iter().any(|stop| stop.is_empty() || stop.len() > STOP_BYTES_MAX) {
            return Err(Error::request(format!("a stop text has between 1 and {STOP_BYTES_MAX} bytes")));
        }
        Ok(Self { stops: stops.to_vec(), held: String::new() })
    }

    /// Takes more of the answer.
    pub(super) fn push(&mut self, text: &str) -> Passed {
        self.held.push_str(text);
        let first = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min();
        if let Some(at) = first {
            self.held.truncate(at);
            return Passed { text: std::mem::take(&mut self.held), stopped: true };
        }
        let keep = self.unsettled();
        let later = self.held.split_off(self.held.len() - keep);
        Passed { text: std::mem::replace(&mut self.held, later), stopped: false }
    }

    /// The length of the longest end of what is held that some stop text begins with.
    fn unsettled(&self) -> usize {
        let longest = |stop: &String| {
            (1..stop.len())
                .rev()
                .filter(|&length| stop.is_char_boundary(length))
                .find(|&length| self.held.ends_with(&stop[..length]))
        };
        self.stops.iter().filter_map(longest).max().unwrap_or(0)
    }

    /// What was held back when the answer ended otherwise.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stop_text_in_pieces_is_held_back_and_dropped() {
        let stops = ["END".to_owned(), "\n\n".to_owned()];
        let mut filter = StopFilter::new(&stops).unwrap();
        assert_eq!(filter.push("a E"), Passed { text: "a ".into(), stopped: false });
        assert_eq!(filter.push("N"), Passed { text: String::new(), stopped: false });
        assert_eq!(filter.push("Ough E"), Passed { text: "ENOugh ".into(), stopped: false });
        assert_eq!(filter.push("ND of it"), Passed { text: String::new(), stopped: true });
    }

    #[test]
    fn silly_stop_texts_are_refused() {
        assert!(StopFilter::new(&[String::new()]).is_err());
        assert!(StopFilter::new(&["x".repeat(257)]).is_err());
        assert!(StopFilter::new(&vec!["x".to_owned(); 17]).is_err());
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(
            pieces in prop::collection::vec("[abß]{0,4}", 0..12),
            stops in prop::collection::vec("[abß]{1,3}", 0..3),
        ) {
            let whole: String = pieces.concat();
            let expected = stops.iter().filter_map(|stop| whole.find(stop.as_str())).min();
            let mut filter = StopFilter::new(&stops).unwrap();
            let (mut out, mut stopped) = (String::new(), false);
            for piece in &pieces {
                let passed = filter.push(piece);
                out.push_str(&passed.text);
                stopped = passed.stopped;
                if stopped { break; }
            }
            if !stopped { out.push_str(&filter.finish()); }
            prop_assert_eq!(stopped, expected.is_some());
            // A shorter stop may complete before an earlier, longer one does: then more is cut, never less.
            prop_assert!(whole.starts_with(&out));
            if expected.is_none() { prop_assert_eq!(&out, &whole); }
            for stop in &stops { prop_assert!(!out.contains(stop.as_str())); }
        }
    }
}
