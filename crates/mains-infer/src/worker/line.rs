//! The line of requests before the one thread that computes, and what may be taken out of it beside answers that are
//! being made.
//!
//! It keeps its order. Answers join up to a number; a few short texts are made vectors of between two tokens, because
//! whoever asks for that waits for milliseconds, but never twice without a token, or answers would stand still under
//! them; many texts, or another model, wait until the answers before them have ended, and what came later waits behind.

use std::collections::VecDeque;

use super::message::{Load, LoadEncoder};
use crate::Error;
use crate::backend::{Generate, Question, SEQUENCES_MAX};

/// Requests that may wait behind those being answered.
pub const LINE_MAX: usize = SEQUENCES_MAX;

/// Texts, and bytes of them, whose vectors take no longer than a few tokens of an answer: about ten milliseconds.
const SHORT_TEXTS: usize = 4;
const SHORT_BYTES: usize = 2_048;

/// Something to do.
pub(super) enum Job {
    Load(Load),
    LoadEncoder(LoadEncoder),
    Embed(u64, Vec<String>),
    Generate(u64, Generate),
    Count(u64, Question),
    End(Result<(), Error>),
}

impl Job {
    /// The number of a job that can be cancelled.
    fn id(&self) -> Option<u64> {
        match self {
            Self::Generate(id, _) | Self::Embed(id, _) => Some(*id),
            Self::Load(_) | Self::LoadEncoder(_) | Self::Count(..) | Self::End(_) => None,
        }
    }

    /// Whether it may be done beside so many answers in the making.
    fn goes_beside(&self, running: usize) -> bool {
        match self {
            Self::Generate(..) => running < SEQUENCES_MAX,
            Self::Count(..) | Self::End(_) => true,
            Self::Embed(_, texts) => running == 0 || is_short(texts),
            Self::Load(_) | Self::LoadEncoder(_) => running == 0,
        }
    }
}

fn is_short(texts: &[String]) -> bool {
    texts.len() <= SHORT_TEXTS && texts.iter().map(String::len).sum::<usize>() <= SHORT_BYTES
}

/// What is to be done next.
pub(super) enum Next {
    /// This.
    Job(Job),
    /// The answers in the making go on.
    Step,
    /// Nothing, until something arrives.
    Wait,
}

/// What became of a request that was cancelled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// It is being answered, and will be told to stop.
    Told,
    /// It waited, and is gone.
    Gone,
    /// There is no such request.
    Unknown,
}

#[derive(Default)]
pub(super) struct Line {
    waiting: VecDeque<Job>,
    active: Vec<Active>,
    ended: Option<Result<(), Error>>,
    /// Vectors were made beside answers in the making, which go on before more are.
    owes_step: bool,
}

/// A request that has left the line and is not yet answered.
struct Active {
    id: u64,
    cancelled: bool,
}

impl Line {
    /// Takes the next thing to do beside this many answers in the making.
    pub(super) fn next(&mut self, running: usize) -> Next {
        // Whoever hung up wants no more answers.
        if let Some(result) = self.ended.take() {
            return Next::Job(Job::End(result));
        }
        if std::mem::take(&mut self.owes_step) && running > 0 {
            return Next::Step;
        }
        if let Some(job) = self.waiting.pop_front_if(|job| job.goes_beside(running)) {
            self.owes_step = running > 0 && matches!(job, Job::Embed(..));
            self.active.extend(job.id().map(|id| Active { id, cancelled: false }));
            return Next::Job(job);
        }
        if running > 0 { Next::Step } else { Next::Wait }
    }

    /// Puts a job at the end; false where the line is full.
    pub(super) fn push(&mut self, job: Job) -> bool {
        let room = self.waiting.len() < LINE_MAX;
        if room {
            self.waiting.push_back(job);
        }
        room
    }

    pub(super) fn cancel(&mut self, id: u64) -> Cancelled {
        if let Some(active) = self.active.iter_mut().find(|active| active.id == id) {
            active.cancelled = true;
            return Cancelled::Told;
        }
        let before = self.waiting.len();
        self.waiting.retain(|job| job.id() != Some(id));
        if self.waiting.len() < before { Cancelled::Gone } else { Cancelled::Unknown }
    }

    /// Forgets a request that has been answered.
    pub(super) fn leave(&mut self, id: u64) {
        self.active.retain(|active| active.id != id);
    }

    /// Whether a request that is being answered is to stop.
    pub(super) fn is_cancelled(&self, id: u64) -> bool {
        self.active.iter().any(|active| active.id == id && active.cancelled)
    }

    /// Nothing more arrives, for this reason; all that are being answered stop.
    pub(super) fn end(&mut self, result: Result<(), Error>) {
        self.ended = Some(result);
        self.active.iter_mut().for_each(|active| active.cancelled = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generate(id: u64) -> Job {
        Job::Generate(id, Generate::new(Question::Raw("hello".to_owned())))
    }

    fn embed(id: u64, texts: usize, bytes: usize) -> Job {
        Job::Embed(id, vec!["x".repeat(bytes); texts])
    }

    fn taken(line: &mut Line, running: usize) -> Option<u64> {
        match line.next(running) {
            Next::Job(job) => job.id(),
            Next::Step | Next::Wait => None,
        }
    }

    #[test]
    fn a_full_line_takes_no_more_and_a_cancel_makes_room() {
        let mut line = Line::default();
        assert!((0..LINE_MAX as u64).all(|id| line.push(generate(id))));
        assert!(!line.push(generate(100)));
        assert_eq!(line.cancel(3), Cancelled::Gone);
        assert_eq!(line.cancel(3), Cancelled::Unknown);
        assert!(line.push(generate(101)));
        for expected in (0..LINE_MAX as u64).filter(|id| *id != 3).chain([101]) {
            assert_eq!(taken(&mut line, 0), Some(expected));
        }
        assert!(matches!(line.next(0), Next::Wait) && matches!(line.next(1), Next::Step));
    }

    #[test]
    fn a_few_short_texts_go_between_two_tokens_and_many_wait() {
        let mut line = Line::default();
        for job in [generate(1), embed(2, 1, 60), embed(3, SHORT_TEXTS + 1, 1), generate(4)] {
            assert!(line.push(job));
        }
        assert_eq!((taken(&mut line, 0), taken(&mut line, 1)), (Some(1), Some(2)));
        assert!(matches!(line.next(1), Next::Step), "five texts wait, and the answer behind them");
        assert_eq!((taken(&mut line, 0), taken(&mut line, 0)), (Some(3), Some(4)));
        assert!(line.push(embed(5, 1, SHORT_BYTES + 1)) && line.push(embed(6, 2, SHORT_BYTES / 2)));
        assert!(matches!(line.next(1), Next::Step), "a long one waits");
        assert_eq!((taken(&mut line, 0), taken(&mut line, 1)), (Some(5), Some(6)));
    }

    #[test]
    fn answers_go_on_however_many_short_texts_come() {
        let mut line = Line::default();
        for id in 0..6 {
            assert!(line.push(embed(id, 1, 60)));
        }
        for id in 0..3 {
            assert_eq!(taken(&mut line, 1), Some(id));
            assert!(matches!(line.next(1), Next::Step), "a token after each");
        }
        // With nobody to wait for them, one after the other.
        assert_eq!((taken(&mut line, 0), taken(&mut line, 0)), (Some(3), Some(4)));
        assert_eq!(taken(&mut line, 1), Some(5));
        assert!(matches!(line.next(0), Next::Wait), "the answer it stood beside has ended");
    }

    #[test]
    fn answers_join_up_to_a_number_and_only_the_one_named_is_told_to_stop() {
        let mut line = Line::default();
        for id in 0..SEQUENCES_MAX as u64 {
            line.push(generate(id));
            assert_eq!(taken(&mut line, usize::try_from(id).unwrap()), Some(id));
        }
        line.push(generate(100));
        assert!(matches!(line.next(SEQUENCES_MAX), Next::Step), "one more waits");
        assert_eq!(line.cancel(2), Cancelled::Told);
        let cancelled: Vec<u64> = (0..SEQUENCES_MAX as u64).filter(|id| line.is_cancelled(*id)).collect();
        assert_eq!(cancelled, [2]);
        line.leave(2);
        assert_eq!(taken(&mut line, SEQUENCES_MAX - 1), Some(100));
        // The number may be used again, and starts afresh.
        line.push(generate(2));
        assert_eq!(taken(&mut line, 0), Some(2));
        assert!(!line.is_cancelled(2));
        line.end(Ok(()));
        assert!(line.is_cancelled(2) && line.is_cancelled(100));
        assert!(matches!(line.next(3), Next::Job(Job::End(Ok(())))));
    }
}
