//! OpenAI chat completions: question, answer and stream, to and from the neutral form.
//!
//! Read `question_in`, `question_out`, `answer`, then `stream_in` and `stream_out`; `words` holds the
//! vocabularies. Facts are of the types in the official SDK for Python 3.57.0 (read 2026-11-24), extensions
//! of other hosts are named where they are read.

mod answer;
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
pub(crate) use words::join_logprobs;

use crate::Dialect;

/// This dialect.
const HERE: Dialect = Dialect::OpenaiChat;
