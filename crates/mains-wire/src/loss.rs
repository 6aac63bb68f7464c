//! What a dialect cannot carry is dropped, and said.

use std::borrow::Cow;
use std::fmt;

/// Something in a question or an answer that the target dialect cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The first place, such as `messages[3].name`, in the words of the neutral form or of the source dialect.
    pub path: String,
    /// Why it is not there, or what stands in its place.
    pub reason: Cow<'static, str>,
    /// How often the same happened.
    pub times: u32,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)?;
        if self.times > 1 { write!(f, " ({} times)", self.times) } else { Ok(()) }
    }
}

/// Bytes in a dialect, and what they do not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The body.
    pub bytes: Vec<u8>,
    /// What did not fit; empty means that everything did.
    pub losses: Vec<Loss>,
}

/// How many different losses are told apart; the rest is counted in one, or a client could fill the memory.
const MOST: usize = 32;

/// Collects losses; the same loss at many places is one with a count.
#[derive(Debug, Default)]
pub(crate) struct Losses(Vec<Loss>);

impl Losses {
    pub(crate) fn add(&mut self, path: impl Into<String>, reason: impl Into<Cow<'static, str>>) {
        let (path, reason) = (path.into(), reason.into());
        let same = |loss: &&mut Loss| {
            loss.reason == reason && without_indices(&loss.path).eq(without_indices(&path))
        };
        if let Some(loss) = self.0.iter_mut().find(same) {
            loss.times = loss.times.saturating_add(1);
        } else if self.0.len() < MOST {
            self.0.push(Loss { path, reason, times: 1 });
        } else if let Some(last) = self.0.last_mut() {
            let times = if last.path == "*" { last.times } else { 1 };
            *last =
                Loss { path: "*".into(), reason: "further losses".into(), times: times.saturating_add(1) };
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Loss> {
        self.0
    }
}

/// A path's characters but digits in brackets: `messages[3].name` and `messages[17].name` are one loss.
fn without_indices(path: &str) -> impl Iterator<Item = char> {
    let mut bracket = false;
    path.chars().filter(move |&letter| {
        bracket = (bracket || letter == '[') && letter != ']';
        !(bracket && letter.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_loss_is_counted_and_the_list_is_bounded() {
        let mut losses = Losses::default();
        for index in 0..10_000 {
            losses.add(format!("messages[{index}].name"), "no names here");
        }
        losses.add("messages[1].name", "another reason");
        let list = losses.into_vec();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].to_string(), "messages[0].name: no names here (10000 times)");

        let mut losses = Losses::default();
        for index in 0..1_000 {
            losses.add(format!("field_{index}"), "unknown");
        }
        let list = losses.into_vec();
        assert_eq!(list.len(), MOST);
        let all: u32 = list.iter().map(|loss| loss.times).sum();
        assert_eq!((list[MOST - 1].path.as_str(), all), ("*", 1_000));
    }
}
