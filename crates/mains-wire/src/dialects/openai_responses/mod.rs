//! OpenAI responses: passed through unchanged between a client and providers that speak them, with no form
//! between dialects; `plain` reads and writes the part that a labeller stands in for.
//!
//! The request is looked at by [`read`], the reply by [`crate::tap`], errors are written by
//! [`crate::error`]. What depends on a provider's memory (an earlier answer, a conversation, a job in the
//! background) can go to one account only, so [`admit`] lets it through where the route has one target
//! and refuses it elsewhere: failing over would answer another question than was asked.

mod plain;

pub use plain::{read_plain_answer, read_plain_question, write_plain_answer};

use crate::Dialect;
use crate::edit::{Peek, peek};
use crate::error::Refusal;

/// What a request expects a provider to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// Nothing: everything is in the request.
    None,
    /// An earlier answer, by `previous_response_id`.
    Answer(String),
    /// A `conversation` kept at the provider.
    Conversation,
    /// A job that runs after the reply and is asked for later.
    Background,
}

/// Looks at a request: it must be a JSON object with a model and an input or something remembered.
pub fn read(body: &[u8]) -> Result<Peek, Refusal> {
    let seen = peek(Dialect::OpenaiResponses, body)?;
    if seen.model.as_deref().is_none_or(str::is_empty) {
        return Err(Refusal::BadRequest {
            message: "`model` is missing\nhint: `GET /v1/models` lists the routes".into(),
            param: Some("model".into()),
        });
    }
    Ok(seen)
}

/// What the request expects to be remembered; the first of these that it names.
pub fn memory(seen: &Peek) -> Memory {
    match &seen.previous_response_id {
        Some(id) => Memory::Answer(id.clone()),
        None if seen.conversation => Memory::Conversation,
        None if seen.background => Memory::Background,
        None => Memory::None,
    }
}

/// Lets a request through to a route with so many targets, or says why not.
pub fn admit(seen: &Peek, targets: usize) -> Result<(), Refusal> {
    let (what, param) = match memory(seen) {
        Memory::None => return Ok(()),
        _ if targets == 1 => return Ok(()),
        Memory::Answer(id) => {
            (format!("the earlier answer `{id}` is kept by one provider only"), "previous_response_id")
        }
        Memory::Conversation => ("a conversation is kept by one provider only".to_owned(), "conversation"),
        Memory::Background => ("a job in the background stays at one provider".to_owned(), "background"),
    };
    Err(Refusal::BadRequest {
        message: format!(
            "{what}, and this route has {targets} targets\nhint: send the whole `input`, or ask for a route with one target"
        ),
        param: Some(param.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, targets: usize, expect: Result<(), &str>) {
        let seen = read(body.as_bytes()).unwrap();
        let got = admit(&seen, targets).map_err(|refusal| refusal.body());
        match (got, expect) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(param)) => {
                assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{body}");
            }
            (got, expect) => panic!("{body}: {got:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn what_is_remembered_elsewhere_stays_there() {
        check(r#"{"model":"m","input":"x","store":false}"#, 3, Ok(()));
        check(r#"{"model":"m","previous_response_id":"resp_1"}"#, 2, Err("previous_response_id"));
        check(r#"{"model":"m","previous_response_id":"resp_1"}"#, 1, Ok(()));
        check(r#"{"model":"m","previous_response_id":null,"conversation":null}"#, 2, Ok(()));
        check(r#"{"model":"m","conversation":{"id":"c"}}"#, 2, Err("conversation"));
        check(r#"{"model":"m","background":true}"#, 2, Err("background"));
    }

    #[test]
    fn a_request_needs_a_model() {
        for body in [r#"{"input":"x"}"#, r#"{"model":"","input":"x"}"#, r#"{"model":7}"#] {
            assert_eq!(read(body.as_bytes()).unwrap_err().body().param.as_deref(), Some("model"), "{body}");
        }
        assert_eq!(read(b"nonsense").unwrap_err().body().status, 400);
    }
}
