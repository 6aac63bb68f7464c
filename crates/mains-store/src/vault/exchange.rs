//! What is kept of one request: its body as the client sent it, the answer as the client got it, and the
//! facts needed to read them.

use mains_units::{RequestId, Timestamp};
use serde::{Deserialize, Serialize};

/// The largest body that any setting may let in: 16 MiB.
pub const BODY_BYTES_MAX: usize = 16 << 20;
/// The most that the facts of one exchange may take, in bytes of JSON.
pub const FACTS_BYTES_MAX: usize = 64 << 10;

/// A body and its media type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body {
    /// `content-type` as it was on the wire; empty where there was none.
    pub content_type: String,
    /// The bytes as they were on the wire, transfer coding and compression undone.
    pub bytes: Vec<u8>,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The request.
    pub request: RequestId,
    /// When it arrived.
    pub at: Timestamp,
    /// The route that it took.
    pub route: Option<String>,
    /// The project of its key.
    pub project: Option<String>,
    /// Who answered: `UPSTREAM/MODEL`.
    pub target: Option<String>,
    /// The model as the answer names it.
    pub model: Option<String>,
    /// The client's dialect, in which both bodies are.
    pub dialect: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The request's body.
    pub asked: Body,
    /// The answer's body; of a stream all its events as they went out.
    pub answer: Body,
}

/// The facts as they stand in front of the bodies.
#[derive(Serialize, Deserialize)]
struct Facts {
    at: Timestamp,
    route: Option<String>,
    project: Option<String>,
    target: Option<String>,
    model: Option<String>,
    dialect: String,
    status: u16,
    asked_type: String,
    answer_type: String,
}

impl Exchange {
    /// Bytes of both bodies.
    pub fn body_bytes(&self) -> usize {
        self.asked.bytes.len().saturating_add(self.answer.bytes.len())
    }

    /// The plain text that is sealed, with room for the tag; `None` where it is larger than any segment takes.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let facts = Facts {
            at: self.at,
            route: self.route.clone(),
            project: self.project.clone(),
            target: self.target.clone(),
            model: self.model.clone(),
            dialect: self.dialect.clone(),
            status: self.status,
            asked_type: self.asked.content_type.clone(),
            answer_type: self.answer.content_type.clone(),
        };
        let facts = serde_json::to_vec(&facts).ok().filter(|facts| facts.len() <= FACTS_BYTES_MAX)?;
        if self.asked.bytes.len() > BODY_BYTES_MAX || self.answer.bytes.len() > BODY_BYTES_MAX {
            return None;
        }
        let mut plain = Vec::with_capacity(facts.len() + self.body_bytes() + 8 + 16);
        for part in [&facts, &self.asked.bytes] {
            plain.extend_from_slice(&u32::try_from(part.len()).ok()?.to_le_bytes());
            plain.extend_from_slice(part);
        }
        plain.extend_from_slice(&self.answer.bytes);
        Some(plain)
    }

    /// The way back; says what is wrong with bytes that are no plain text of ours.
    pub(super) fn decode(request: RequestId, plain: &[u8]) -> Result<Self, &'static str> {
        let (facts, rest) = part(plain).ok_or("its facts are cut off")?;
        let (asked, answer) = part(rest).ok_or("its request is cut off")?;
        if facts.len() > FACTS_BYTES_MAX || asked.len() > BODY_BYTES_MAX || answer.len() > BODY_BYTES_MAX {
            return Err("a part of it is longer than any that is kept");
        }
        let facts: Facts = serde_json::from_slice(facts).map_err(|_| "its facts cannot be read")?;
        Ok(Self {
            request,
            at: facts.at,
            route: facts.route,
            project: facts.project,
            target: facts.target,
            model: facts.model,
            dialect: facts.dialect,
            status: facts.status,
            asked: Body { content_type: facts.asked_type, bytes: asked.to_vec() },
            answer: Body { content_type: facts.answer_type, bytes: answer.to_vec() },
        })
    }
}

/// A part behind its length, and what follows.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mains_units::Chance;

    fn exchange() -> Exchange {
        Exchange {
            request: RequestId::from_bytes([7; 12]),
            at: Timestamp(1_795_521_600_000),
            route: Some("gpt-4o-mini".into()),
            project: None,
            target: Some("openai/gpt-4o-mini".into()),
            model: Some("gpt-4o-mini-2024-07-18".into()),
            dialect: "openai_chat".into(),
            status: 200,
            asked: Body { content_type: "application/json".into(), bytes: b"{\"a\": 1}".to_vec() },
            answer: Body { content_type: "text/event-stream".into(), bytes: vec![0, 255, 10] },
        }
    }

    #[test]
    fn a_plain_text_reads_back_and_none_cut_in_front_of_the_answer_does() {
        let exchange = exchange();
        let plain = exchange.encode().unwrap();
        assert_eq!(Exchange::decode(exchange.request, &plain).unwrap(), exchange);
        let before_answer = plain.len() - exchange.answer.bytes.len();
        for length in 0..before_answer {
            assert!(Exchange::decode(exchange.request, &plain[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn damaged_plain_texts_never_panic() {
        let plain = exchange().encode().unwrap();
        for seed in 0..2_000 {
            let mut chance = Chance::from_seed(seed);
            let mut bytes = plain.clone();
            for _ in 0..=chance.below(8) {
                let at = usize::try_from(chance.below(bytes.len() as u64)).unwrap();
                bytes[at] = u8::try_from(chance.below(256)).unwrap();
            }
            bytes.truncate(usize::try_from(chance.below(bytes.len() as u64 + 1)).unwrap());
            let _ = Exchange::decode(RequestId::from_bytes([7; 12]), &bytes);
        }
    }

    #[test]
    fn what_is_too_large_for_any_segment_is_not_encoded() {
        let mut large = exchange();
        large.asked.bytes = vec![0; BODY_BYTES_MAX + 1];
        assert_eq!(large.encode(), None);
        let mut long = exchange();
        long.route = Some("x".repeat(FACTS_BYTES_MAX));
        assert_eq!(long.encode(), None);
    }
}
