//! Local models, as the outlet asks them: a question in, neutral events out.

use mains_host::Used;
use mains_wire::neutral::{Event, Question};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a local model says.
#[derive(Debug, Clone)]
pub enum LocalEvent {
    /// It has taken the question.
    Begun,
    /// A piece of the answer.
    Said(Event),
    /// The vectors of the texts, all of them.
    Embedded(Vectors),
    /// What it used; comes once, before the end, where the machine shows it.
    Used(Used),
    /// The answer is whole.
    Done,
    /// It cannot answer, and why.
    Failed(String),
    /// The question is at fault: it cannot be answered as it stands.
    Refused {
        /// Why, and what to do about it.
        why: String,
        /// A provider's code for it, where there is one.
        code: Option<&'static str>,
    },
}

/// A question for a local model.
#[derive(Debug, Clone)]
pub struct LocalQuestion {
    /// The model's name.
    pub model: String,
    /// What is asked.
    pub asks: LocalAsks,
}

/// What a local model is asked for.
#[derive(Debug, Clone)]
pub enum LocalAsks {
    /// The next turn of a conversation.
    Answer {
        /// The project that asks: what was read for one is not taken over for another.
        project: Option<Arc<str>>,
        /// The conversation.
        question: Box<Question>,
        /// Most tokens to answer with.
        max_tokens: u64,
    },
    /// A vector for each of these texts.
    Vectors(Vec<String>),
}

/// The vectors of some texts.
#[derive(Debug, Clone)]
pub struct Vectors {
    /// One per text, in their order.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were read, of all texts together.
    pub tokens: u64,
    /// Places of the texts of which only the first tokens were read, and how many those were.
    pub cut: Vec<(usize, usize)>,
}

/// A handle on the worker that runs local models.
#[derive(Debug, Clone)]
pub struct Local {
    questions: mpsc::Sender<(LocalQuestion, mpsc::Sender<LocalEvent>)>,
}

/// Pieces of an answer that may wait for a slow reader.
const QUEUE_EVENTS: usize = 64;

impl Local {
    /// A handle, and the end that a worker's driver serves.
    pub fn new(waiting_max: usize) -> (Self, mpsc::Receiver<(LocalQuestion, mpsc::Sender<LocalEvent>)>) {
        let (questions, receiver) = mpsc::channel(waiting_max);
        (Self { questions }, receiver)
    }

    /// Asks. Dropping the receiver cancels the answer. A full line says so at once.
    pub fn ask(&self, question: LocalQuestion) -> mpsc::Receiver<LocalEvent> {
        let (events, receiver) = mpsc::channel(QUEUE_EVENTS);
        if let Err(error) = self.questions.try_send((question, events.clone())) {
            let why = match error {
                mpsc::error::TrySendError::Full(_) => "the local model is busy and its waiting line is full",
                mpsc::error::TrySendError::Closed(_) => "the worker of local models is not running",
            };
            // The channel is new and has room for one.
            let _ = events.try_send(LocalEvent::Failed(why.into()));
        }
        receiver
    }
}
