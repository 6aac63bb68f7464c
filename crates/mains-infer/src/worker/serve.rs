//! The child's side. One thread reads frames, so that a cancel or a ping is heard while answers are being made; the
//! calling thread computes. Between them stands a short line (`line`): answers are made together, up to a number, a
//! few requests wait, everyone else is told `busy`.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::frame::{FRAME_BYTES_MAX, Frames, encode};
use super::line::{Cancelled, Job, LINE_MAX, Line, Next};
use super::message::{
    EncoderReady, FromWorker, Load, LoadEncoder, Ready, Spent, TEXTS_MAX, ToWorker, Trouble,
};
use crate::backend::{Backend, Event, Generate, LocalModel, Question, Reason, Source, Told};
use crate::encoder::{Embedded, Embedder};
use crate::model::Options;
use crate::{Error, Fault};

/// Bytes of one number of a vector in a frame, with its comma.
const NUMBER_BYTES_MAX: usize = 11;

/// Serves until the input ends. What `mains worker` runs, over its standard input and output.
pub fn run(input: impl Read + Send + 'static, output: impl Write + Send + 'static) -> Result<(), Error> {
    let desk = Arc::new(Desk {
        line: Mutex::new(Line::default()),
        arrived: Condvar::new(),
        output: Mutex::new(output),
    });
    let reader = Arc::clone(&desk);
    thread::Builder::new()
        .name("worker-reader".to_owned())
        .spawn(move || reader.read(input))
        .map_err(|e| Error::io("cannot start the reader thread of the worker", &e))?;
    let mut model: Option<LocalModel> = None;
    let mut encoder = None;
    loop {
        let Some(job) = desk.take(model.as_ref().map_or(0, LocalModel::running)) else {
            if let Some(model) = &mut model {
                desk.step(model)?;
            }
            continue;
        };
        match job {
            Job::Load(load) => {
                // The old model goes first: two at once might not fit.
                model = None;
                match load_model(load) {
                    Ok((loaded, ready)) => {
                        model = Some(loaded);
                        desk.say(&FromWorker::Ready(ready))?;
                    }
                    Err(error) => desk.say(&FromWorker::error(None, &error))?,
                }
            }
            Job::LoadEncoder(load) => {
                encoder = None;
                match load_encoder(&load) {
                    Ok((loaded, ready)) => {
                        encoder = Some(loaded);
                        desk.say(&FromWorker::EncoderReady(ready))?;
                    }
                    Err(error) => desk.say(&FromWorker::error(None, &error))?,
                }
            }
            Job::Embed(id, texts) => {
                desk.embed(encoder.as_ref(), id, &texts)?;
                desk.leave(id);
            }
            Job::Generate(id, request) => desk.begin(model.as_mut(), id, &request)?,
            Job::Count(id, question) => desk.count(model.as_ref(), id, &question)?,
            Job::End(result) => return result,
        }
    }
}

struct Desk<W> {
    line: Mutex<Line>,
    arrived: Condvar,
    output: Mutex<W>,
}

/// A panic elsewhere must not take the lock down with it: the data behind these locks is whole between
/// any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Write> Desk<W> {
    fn say(&self, message: &FromWorker) -> Result<(), Error> {
        let bytes = encode(message)?;
        let mut output = lock(&self.output);
        output
            .write_all(&bytes)
            .and_then(|()| output.flush())
            .map_err(|e| Error::io("the worker cannot write to its parent", &e))
    }

    /// The next thing to do beside this many answers in the making; none when it is to go on with those. Waits when
    /// there is neither.
    fn take(&self, running: usize) -> Option<Job> {
        let mut line = lock(&self.line);
        loop {
            match line.next(running) {
                Next::Job(job) => return Some(job),
                Next::Step => return None,
                Next::Wait => line = self.arrived.wait(line).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Forgets a request that has been answered.
    fn leave(&self, id: u64) {
        lock(&self.line).leave(id);
    }

    /// Whether a request that is being answered is to stop.
    fn is_cancelled(&self, id: u64) -> bool {
        lock(&self.line).is_cancelled(id)
    }

    fn begin(&self, model: Option<&mut LocalModel>, id: u64, request: &Generate) -> Result<(), Error> {
        let begun = match model {
            Some(model) => model.begin(id, request).map_err(|error| FromWorker::error(Some(id), &error)),
            None => Err(not_loaded(id)),
        };
        let Err(why) = begun else { return Ok(()) };
        self.leave(id);
        self.say(&why)
    }

    /// One token more for every answer in the making.
    fn step(&self, model: &mut LocalModel) -> Result<(), Error> {
        let mut broken = Ok(());
        model.step(&|id| self.is_cancelled(id), &mut |id, told| {
            let said = match told {
                Told::Event(Event::Prompt { .. }) => return,
                Told::Event(Event::Text(text)) => FromWorker::Token { id, text },
                Told::Ended(Ok(finish)) => {
                    FromWorker::Done { id, finish: finish.reason, usage: finish.usage.into() }
                }
                Told::Ended(Err(error)) => FromWorker::error(Some(id), &error),
            };
            if !matches!(said, FromWorker::Token { .. }) {
                self.leave(id);
            }
            if broken.is_ok() {
                broken = self.say(&said);
            }
        });
        broken
    }

    fn count(&self, model: Option<&LocalModel>, id: u64, question: &Question) -> Result<(), Error> {
        let Some(model) = model else { return self.say(&not_loaded(id)) };
        match model.count(question) {
            Ok(tokens) => self.say(&FromWorker::Counted { id, tokens }),
            Err(error) => self.say(&FromWorker::error(Some(id), &error)),
        }
    }

    fn embed(&self, encoder: Option<&Embedder>, id: u64, texts: &[String]) -> Result<(), Error> {
        let Some(encoder) = encoder else { return self.say(&not_loaded(id)) };
        let answer_bytes =
            texts.len().saturating_mul(encoder.config().width).saturating_mul(NUMBER_BYTES_MAX);
        if texts.len() > TEXTS_MAX || answer_bytes > FRAME_BYTES_MAX / 2 {
            let error = Error::request(format!(
                "{} texts were given; at most {TEXTS_MAX} are read at once, and fewer where vectors are long",
                texts.len()
            ))
            .hint("send them in several requests");
            return self.say(&FromWorker::error(Some(id), &error));
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        match encoder.embed_until(&texts, &|| self.is_cancelled(id)) {
            Ok(Some(Embedded { vectors, tokens, cut })) => {
                self.say(&FromWorker::Embedded { id, vectors, tokens, cut })
            }
            Ok(None) => self.say(&cancelled(id)),
            Err(error) => self.say(&FromWorker::error(Some(id), &error)),
        }
    }

    /// Reads frames until the input ends or nothing more can be understood.
    fn read(&self, mut input: impl Read) {
        let result = self.read_frames(&mut input);
        let mut line = lock(&self.line);
        line.end(result);
        self.arrived.notify_one();
    }

    fn read_frames(&self, input: &mut impl Read) -> Result<(), Error> {
        let mut frames = Frames::<ToWorker>::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match input.read(&mut buffer) {
                Ok(0) if frames.unfinished() => {
                    return Err(Error::protocol("the parent hung up in the middle of a frame"));
                }
                Ok(0) => return Ok(()),
                Ok(length) => frames.push(&buffer[..length]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Error::io("the worker cannot read from its parent", &e)),
            }
            loop {
                match frames.take() {
                    Ok(Some(message)) => self.hear(message)?,
                    Ok(None) => break,
                    Err(error) if error.fault() == Fault::Protocol => {
                        self.say(&FromWorker::error(None, &error))?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }

    fn hear(&self, message: ToWorker) -> Result<(), Error> {
        match message {
            ToWorker::Ping { nonce } => self.say(&FromWorker::Pong { nonce }),
            ToWorker::Load(load) => self.queue(None, Job::Load(load)),
            ToWorker::LoadEncoder(load) => self.queue(None, Job::LoadEncoder(load)),
            ToWorker::Embed { id, texts } => self.queue(Some(id), Job::Embed(id, texts)),
            ToWorker::Generate { id, request } => self.queue(Some(id), Job::Generate(id, request)),
            ToWorker::Count { id, question } => self.queue(Some(id), Job::Count(id, question)),
            ToWorker::Cancel { id } => self.cancel(id),
        }
    }

    fn queue(&self, id: Option<u64>, job: Job) -> Result<(), Error> {
        if lock(&self.line).push(job) {
            self.arrived.notify_one();
            return Ok(());
        }
        let message =
            format!("the local model answers as many as it can, and {LINE_MAX} requests wait already");
        self.say(&FromWorker::Error { id, trouble: Trouble::Busy, message })
    }

    fn cancel(&self, id: u64) -> Result<(), Error> {
        let found = lock(&self.line).cancel(id);
        if found == Cancelled::Gone { self.say(&cancelled(id)) } else { Ok(()) }
    }
}

fn cancelled(id: u64) -> FromWorker {
    let usage = Spent { prompt: 0, cached: 0, completion: 0 };
    FromWorker::Done { id, finish: Reason::Cancelled, usage }
}

fn not_loaded(id: u64) -> FromWorker {
    let message = "no model is loaded".to_owned();
    FromWorker::Error { id: Some(id), trouble: Trouble::NotLoaded, message }
}

fn load_model(load: Load) -> Result<(LocalModel, Ready), Error> {
    let source = Source { path: load.path, sha256: load.sha256 };
    let options = Options { threads: load.threads, context: load.context, instruction_set: None };
    let loaded = LocalModel::load(&source, options)?;
    let (weights_bytes, _) = loaded.model().memory_bytes();
    let ready = Ready {
        name: loaded.name().to_owned(),
        context: loaded.model().context(),
        vocabulary: loaded.model().config().vocabulary,
        weights_bytes,
        cache_bytes: loaded.cache_bytes(),
        instruction_set: format!("{:?}", loaded.model().instruction_set()).to_lowercase(),
    };
    Ok((loaded, ready))
}

fn load_encoder(load: &LoadEncoder) -> Result<(Embedder, EncoderReady), Error> {
    let loaded = Embedder::load(&load.source, load.threads)?;
    let ready = EncoderReady {
        width: loaded.config().width,
        tokens_max: loaded.config().tokens_max,
        weights_bytes: loaded.weights_bytes(),
        instruction_set: format!("{:?}", loaded.instruction_set()).to_lowercase(),
    };
    Ok((loaded, ready))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::Frames;

    fn desk() -> Desk<Vec<u8>> {
        Desk { line: Mutex::new(Line::default()), arrived: Condvar::new(), output: Mutex::new(Vec::new()) }
    }

    fn generate(id: u64) -> ToWorker {
        let question = Question::Raw("hello".to_owned());
        let request = Generate { max_tokens: Some(1), ..Generate::new(question) };
        ToWorker::Generate { id, request }
    }

    fn said(desk: &Desk<Vec<u8>>) -> Vec<FromWorker> {
        let mut frames = Frames::default();
        frames.push(&std::mem::take(&mut *lock(&desk.output)));
        std::iter::from_fn(|| frames.take().unwrap()).collect()
    }

    #[test]
    fn a_full_line_says_busy_and_a_cancel_makes_room() {
        let desk = desk();
        for id in 0..LINE_MAX as u64 {
            desk.hear(generate(id)).unwrap();
        }
        assert_eq!(said(&desk), []);
        desk.hear(generate(100)).unwrap();
        assert!(matches!(said(&desk)[..], [FromWorker::Error { id: Some(100), trouble: Trouble::Busy, .. }]));
        desk.hear(ToWorker::Cancel { id: 3 }).unwrap();
        let usage = Spent { prompt: 0, cached: 0, completion: 0 };
        assert_eq!(said(&desk), [FromWorker::Done { id: 3, finish: Reason::Cancelled, usage }]);
        desk.hear(generate(101)).unwrap();
        assert_eq!(said(&desk), []);
        for expected in (0..LINE_MAX as u64).filter(|id| *id != 3).chain([101]) {
            assert!(matches!(desk.take(0), Some(Job::Generate(id, _)) if id == expected), "{expected}");
        }
    }

    #[test]
    fn a_request_for_vectors_is_cancelled_like_the_others() {
        let desk = desk();
        let embed = |id| ToWorker::Embed { id, texts: vec!["hello".to_owned()] };
        desk.hear(embed(2)).unwrap();
        desk.hear(embed(3)).unwrap();
        desk.hear(ToWorker::Cancel { id: 2 }).unwrap();
        assert_eq!(said(&desk), [cancelled(2)]);
        assert!(matches!(desk.take(0), Some(Job::Embed(3, _))));
        desk.hear(ToWorker::Cancel { id: 3 }).unwrap();
        assert!(desk.is_cancelled(3));
        desk.embed(None, 3, &[]).unwrap();
        assert!(matches!(
            said(&desk)[..],
            [FromWorker::Error { id: Some(3), trouble: Trouble::NotLoaded, .. }]
        ));
    }

    #[test]
    fn whoever_hangs_up_wants_no_more_answers() {
        let desk = desk();
        desk.hear(generate(7)).unwrap();
        assert!(matches!(desk.take(0), Some(Job::Generate(7, _))));
        desk.read(std::io::empty());
        assert!(desk.is_cancelled(7));
        assert!(matches!(desk.take(1), Some(Job::End(Ok(())))));
    }
}
