//! The one form between all dialects: what is asked, what is answered, and an answer as a stream.
//!
//! Read `question`, then `block` (what messages are made of), then `answer`, then `stream` (events, and how
//! they fold into an answer and an answer unfolds into events), then `embeddings`.

mod answer;
mod block;
mod embeddings;
mod question;
mod stream;

pub use crate::json::Json;
pub use answer::{Answer, Choice, StopReason};
pub use block::{Block, CacheMark, CallKind, Citation, Content, Message, Role, Source, ToolCall, ToolResult};
pub use embeddings::{EmbeddingsAnswer, EmbeddingsInput, EmbeddingsQuestion, VectorEncoding};
pub use question::{AnswerFormat, Effort, Extra, Question, Sampling, Thinking, Tool, ToolChoice, ToolKind};
pub use stream::{BlockStart, Delta, ErrorKind, Event, Fold, StreamError};
