//! Anthropic messages: question, answer and stream, to and from the neutral form.
//!
//! Read `blocks` (what messages are made of), `question_in`, `question_out`, `answer`, then `stream_in` and
//! `stream_out`; `words` holds the vocabularies, `abilities` what each generation of models takes. Facts are
//! of the types in the official SDK for Python 2.13.0 (read 2026-11-24).

mod abilities;
mod answer;
mod blocks;
mod question_in;
mod question_out;
mod stream_in;
mod stream_out;
mod words;

pub use answer::{read_answer, write_answer};
pub use question_in::read_question;
pub use question_out::write_question;
pub(crate) use stream_in::Reader;
pub(crate) use stream_out::Writer;

use crate::Dialect;

/// This dialect.
const HERE: Dialect = Dialect::AnthropicMessages;
