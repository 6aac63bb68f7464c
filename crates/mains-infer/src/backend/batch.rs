//! Answers that are made together: a request joins at the next token of the others, and every step reads each weight
//! once for all of them.
//!
//! A step gives each answer that is being written one row, and what is left to prompts in the order in which they
//! came. Every answer has its own keys and values, sampler and form; rows do not influence each other, so an answer
//! is the same alone and in company.

use mains_units::Usage;

use super::guide::Guide;
use super::prefix::{PREFIX_MIN, Prefixes, common};
use super::sample::Sampler;
use super::stop::StopFilter;
use super::{Event, Finish, Reason};
use crate::Error;
use crate::model::{CHUNK_TOKENS, Llama, Run, Sequence};
use crate::tokenizer::{TextStream, Tokenizer};

/// Answers that are made together at most.
pub const SEQUENCES_MAX: usize = 16;

/// Tokens of prompts in a step beside which answers are written: a longer piece would keep those who read them waiting.
const PROMPT_BESIDE: usize = 32;

/// Bytes of keys and values of all sequences, running or kept, unless one full context takes more.
const CACHE_BYTES_MAX: usize = 512 << 20;

/// What becomes of an answer in a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Something happened.
    Event(Event),
    /// It has ended.
    Ended(Result<Finish, Error>),
}

/// One answer in the making.
pub(super) struct Answer {
    pub(super) id: u64,
    /// Whose it is.
    pub(super) reader: Option<String>,
    /// The prompt and what was chosen since.
    pub(super) tokens: Vec<u32>,
    pub(super) limit: u64,
    pub(super) sampler: Sampler,
    pub(super) stops: StopFilter,
    pub(super) guide: Option<Guide>,
    prompt: usize,
    fed: usize,
    /// None until its turn to read the prompt.
    sequence: Option<Sequence>,
    stream: TextStream,
    usage: Usage,
    /// Rows in the step under way.
    rows: usize,
    ended: Option<Result<Reason, Error>>,
}

impl Answer {
    pub(super) fn new(id: u64, tokens: Vec<u32>, limit: u64, sampler: Sampler, stops: StopFilter) -> Self {
        Self {
            id,
            reader: None,
            prompt: tokens.len(),
            tokens,
            limit,
            sampler,
            stops,
            guide: None,
            fed: 0,
            sequence: None,
            stream: TextStream::default(),
            usage: Usage::default(),
            rows: 0,
            ended: None,
        }
    }

    /// Whether the prompt has been read and one token waits to be.
    fn is_writing(&self) -> bool {
        self.fed >= self.prompt && self.tokens.len() == self.fed + 1
    }

    /// How many of the tokens that another one wants are the first of these, which are its own too.
    fn shared(&self, other: &Self, tokens: &[u32], wanted: &[u32]) -> usize {
        if self.reader == other.reader { common(tokens, wanted) } else { 0 }
    }

    /// Positions that it may come to need. The last token that fits needs none.
    fn positions(&self) -> usize {
        let answer = usize::try_from(self.limit.saturating_sub(1)).unwrap_or(usize::MAX);
        self.prompt.saturating_add(answer)
    }
}

/// What a step works on beside the answers.
pub(super) struct Tools<'a> {
    pub(super) model: &'a mut Llama,
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) cancelled: &'a dyn Fn(u64) -> bool,
    pub(super) tell: &'a mut dyn FnMut(u64, Told),
}

/// The answers in the making, in the order in which they came, and the beginnings that are kept.
#[derive(Default)]
pub(super) struct Batch {
    answers: Vec<Answer>,
    prefixes: Prefixes,
}

/// Positions of keys and values that all sequences of this model may hold together.
pub(super) fn positions_max(model: &Llama) -> usize {
    let one = model.memory_bytes().1 / model.context().max(1);
    (CACHE_BYTES_MAX / one.max(1)).max(model.context())
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }

    pub(super) fn push(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    /// One pass of the model, and what follows from it for each answer.
    pub(super) fn step(&mut self, mut tools: Tools<'_>) {
        self.share_rows(&mut tools);
        if let Err(error) = self.pass(tools.model) {
            for answer in &mut self.answers {
                answer.ended.get_or_insert(Err(error.clone()));
            }
        }
        self.choose(&mut tools);
        self.finish(&mut tools);
    }

    /// Says how many tokens of each answer go through now.
    fn share_rows(&mut self, tools: &mut Tools<'_>) {
        let mut writing = 0;
        for answer in &mut self.answers {
            answer.rows = usize::from(answer.is_writing());
            writing += answer.rows;
        }
        let mut left = if writing == 0 { CHUNK_TOKENS } else { PROMPT_BESIDE };
        for at in 0..self.answers.len() {
            if left == 0 {
                return;
            }
            if self.answers[at].is_writing() {
                continue;
            }
            if (tools.cancelled)(self.answers[at].id) {
                self.answers[at].ended = Some(Ok(Reason::Cancelled));
                continue;
            }
            if self.answers[at].sequence.is_none() {
                match self.open(at, tools.model) {
                    Ok(true) => {}
                    // Those behind it wait too, so that nobody is passed over for ever.
                    Ok(false) => return,
                    Err(error) => {
                        self.answers[at].ended = Some(Err(error));
                        continue;
                    }
                }
            }
            let answer = &mut self.answers[at];
            answer.rows = (answer.tokens.len() - answer.fed).min(left);
            left -= answer.rows;
        }
    }

    /// Gives an answer its sequence, with the longest beginning that has been computed already. False when it has to
    /// wait: for memory, or for a beginning that another is reading now.
    fn open(&mut self, at: usize, model: &Llama) -> Result<bool, Error> {
        let answer = &self.answers[at];
        // The last token is always computed: the logits after it are wanted.
        let wanted = &answer.tokens[..answer.prompt - 1];
        let running = || self.answers.iter().filter(|other| other.sequence.is_some());
        let shared = |other: &Answer| other.shared(answer, &other.tokens[..other.fed], wanted);
        let now = running().map(shared).max().unwrap_or(0);
        let kept = self.prefixes.shared(answer.reader.as_deref(), wanted);
        let soon = running().map(|other| other.shared(answer, &other.tokens[..other.prompt], wanted));
        let soon = soon.max().unwrap_or(0);
        if soon >= now.max(kept) + PREFIX_MIN {
            return Ok(false);
        }
        let held: usize = running().filter_map(|other| other.sequence.as_ref().map(Sequence::capacity)).sum();
        let most = positions_max(model);
        let needed = answer.positions().min(model.context());
        if held > 0 && held + needed > most {
            return Ok(false);
        }
        let mut sequence = model.sequence(needed)?;
        let length = now.max(kept);
        if length >= PREFIX_MIN {
            let nearest =
                running().find(|other| shared(other) == now).and_then(|other| other.sequence.as_ref());
            let from =
                if now >= kept { nearest } else { self.prefixes.best(answer.reader.as_deref(), wanted) };
            if let Some(from) = from {
                sequence.copy_from(from, length)?;
            }
        }
        self.prefixes.shrink(most.saturating_sub(held + needed));
        let answer = &mut self.answers[at];
        answer.fed = sequence.length();
        answer.usage.cached_read = sequence.length() as u64;
        answer.sequence = Some(sequence);
        Ok(true)
    }

    fn pass(&mut self, model: &mut Llama) -> Result<(), Error> {
        let mut runs = Vec::new();
        for answer in self.answers.iter_mut().filter(|answer| answer.rows > 0) {
            let Some(sequence) = &mut answer.sequence else { continue };
            let tokens = &answer.tokens[answer.fed..answer.fed + answer.rows];
            runs.push(Run { sequence, tokens });
        }
        if runs.is_empty() { Ok(()) } else { model.pass(&mut runs) }
    }

    /// Chooses the next token of every answer whose tokens have all been read.
    fn choose(&mut self, tools: &mut Tools<'_>) {
        let (mut row, mut rows, mut chosen) = (0, Vec::new(), Vec::new());
        for (at, answer) in self.answers.iter_mut().enumerate() {
            if answer.rows == 0 || answer.ended.is_some() {
                continue;
            }
            row += answer.rows;
            let read = answer.rows.min(answer.prompt.saturating_sub(answer.fed));
            answer.usage.input += read as u64;
            answer.fed += answer.rows;
            if read > 0 && answer.fed >= answer.prompt {
                let tokens = answer.usage.input_total();
                (tools.tell)(answer.id, Told::Event(Event::Prompt { tokens }));
            }
            if answer.fed < answer.tokens.len() {
                continue;
            }
            if answer.usage.output >= answer.limit {
                answer.ended = Some(Ok(Reason::Length));
            } else if (tools.cancelled)(answer.id) {
                answer.ended = Some(Ok(Reason::Cancelled));
            } else {
                rows.push(row - 1);
                chosen.push(at);
            }
        }
        if rows.is_empty() {
            return;
        }
        let logits = tools.model.logits_of(&rows);
        let width = logits.len() / rows.len();
        for (at, logits) in chosen.into_iter().zip(logits.chunks_exact(width)) {
            let answer = &mut self.answers[at];
            let mut say = |text: String| {
                if !text.is_empty() {
                    (tools.tell)(answer.id, Told::Event(Event::Text(text)));
                }
            };
            let ended = next(
                &mut Writing {
                    tokens: &mut answer.tokens,
                    guide: answer.guide.as_mut(),
                    sampler: &mut answer.sampler,
                    stops: &mut answer.stops,
                    stream: &mut answer.stream,
                    output: &mut answer.usage.output,
                    limit: answer.limit,
                },
                tools.tokenizer,
                logits,
                &mut say,
            );
            answer.ended = ended.transpose();
        }
    }

    /// Takes leave of those that have ended, and keeps what they computed.
    fn finish(&mut self, tools: &mut Tools<'_>) {
        let most = positions_max(tools.model);
        for mut answer in self.answers.extract_if(.., |answer| answer.ended.is_some()) {
            let ended = match answer.ended.take() {
                Some(Ok(reason)) => Ok(Finish { reason, usage: answer.usage }),
                Some(Err(error)) => Err(error),
                None => continue,
            };
            let id = answer.id;
            if let Some(sequence) = answer.sequence
                && sequence.length() >= PREFIX_MIN
                && let Some(sequence) = compact(sequence, tools.model)
            {
                answer.tokens.truncate(sequence.length());
                self.prefixes.keep(answer.reader, answer.tokens, sequence);
            }
            (tools.tell)(id, Told::Ended(ended));
        }
        let held: usize =
            self.answers.iter().filter_map(|answer| answer.sequence.as_ref().map(Sequence::capacity)).sum();
        self.prefixes.shrink(most.saturating_sub(held));
    }
}

/// The same sequence without much empty room; none where there is no memory for it.
fn compact(sequence: Sequence, model: &Llama) -> Option<Sequence> {
    let length = sequence.length();
    if sequence.capacity() <= length + length / 2 {
        return Some(sequence);
    }
    let mut small = model.sequence(length).ok()?;
    small.copy_from(&sequence, length).ok()?;
    Some(small)
}

/// What changes of an answer when a token is chosen.
struct Writing<'a> {
    tokens: &'a mut Vec<u32>,
    guide: Option<&'a mut Guide>,
    sampler: &'a mut Sampler,
    stops: &'a mut StopFilter,
    stream: &'a mut TextStream,
    output: &'a mut u64,
    limit: u64,
}

/// Chooses a token, and takes those that must follow it; gives back why the answer ends, when it does.
fn next(
    writing: &mut Writing<'_>,
    tokenizer: &Tokenizer,
    logits: &[f32],
    say: &mut dyn FnMut(String),
) -> Result<Option<Reason>, Error> {
    let mut taken = Vec::new();
    let mut complete = false;
    match writing.guide.as_deref_mut() {
        None => taken.push(writing.sampler.choose(logits)?),
        Some(guide) => {
            let token = writing.sampler.choose_allowed(logits, &guide.allowed()?)?;
            guide.took(token)?;
            taken.push(token);
            let room = usize::try_from(writing.limit - *writing.output - 1).unwrap_or(usize::MAX);
            if !tokenizer.is_end(token) && room > 0 && !guide.is_complete() {
                // More than a chunk at once would keep the others waiting.
                taken.extend(guide.forced(room.min(PROMPT_BESIDE))?);
            }
            complete = guide.is_complete();
        }
    }
    for &token in &taken {
        *writing.output += 1;
        if tokenizer.is_end(token) {
            return Ok(Some(flush(writing, Reason::Stop, say)));
        }
        let passed = writing.stops.push(&writing.stream.push(&tokenizer.bytes(token)));
        say(passed.text);
        if passed.stopped {
            return Ok(Some(Reason::Stop));
        }
        writing.tokens.push(token);
    }
    if complete {
        return Ok(Some(flush(writing, Reason::Stop, say)));
    }
    // The last token that fits needs no pass of its own: nothing is chosen after it.
    if *writing.output >= writing.limit {
        return Ok(Some(flush(writing, Reason::Length, say)));
    }
    Ok(None)
}

/// Gives out what was held back; a stop text may yet be in it.
fn flush(writing: &mut Writing<'_>, reason: Reason, say: &mut dyn FnMut(String)) -> Reason {
    let passed = writing.stops.push(&writing.stream.finish());
    say(passed.text);
    if passed.stopped {
        return Reason::Stop;
    }
    say(writing.stops.finish());
    reason
}
