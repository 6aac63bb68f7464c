//! The worker: a child process of the same executable that runs local models.
//!
//! It has no keys and no environment, a memory limit, and is started again when it dies. Questions are answered
//! together up to a number; others wait in a bounded line. A reader that is slow or leaves does not hold up the others.
//!
//! Read this file, then `process` (the child and its pipes) and `words` (questions and answers in the engine's words).

mod process;
mod words;

pub(crate) use words::forced_tool;

use crate::local::{LocalAsks, LocalEvent, LocalQuestion, Vectors};
use mains_host::{Mark, Used};
use mains_infer::backend::SEQUENCES_MAX;
use mains_infer::encoder::EncoderSource;
use mains_infer::worker::{FromWorker, Load, LoadEncoder, ToWorker, Trouble, encode};
use process::Process;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use words::Form;

/// A worker that dies at once is not started again faster than this.
const RESTART_PAUSE: Duration = Duration::from_millis(500);

/// How long loading a model may take.
const LOAD_WITHIN: Duration = Duration::from_mins(2);

/// How a worker is started, and with which models.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The executable, and the verb that makes it a worker.
    pub command: (PathBuf, String),
    /// The model that answers, if any.
    pub model: Option<ModelFile>,
    /// The name in routes and the files of the encoder that makes vectors, if any.
    pub encoder: Option<(String, EncoderSource)>,
    /// Threads.
    pub threads: usize,
}

/// A model that answers.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// Its name in routes.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What the file must hash to.
    pub sha256: Option<String>,
    /// Context in tokens.
    pub context: usize,
}

impl WorkerSettings {
    /// Why this question is not for the models that are loaded, if it is not.
    fn refuses(&self, question: &LocalQuestion) -> Option<String> {
        let model = self.model.as_ref().map(|model| model.name.as_str());
        let encoder = self.encoder.as_ref().map(|(name, _)| name.as_str());
        let (loaded, what) = match question.asks {
            LocalAsks::Answer { .. } => (model, "to answer"),
            LocalAsks::Vectors(_) => (encoder, "to make vectors"),
        };
        let asked = question.model.as_str();
        match loaded {
            Some(loaded) if loaded == asked => None,
            Some(loaded) => Some(format!("the local model `{asked}` is not loaded {what}; `{loaded}` is")),
            None => Some(format!("the local model `{asked}` is not loaded {what}")),
        }
    }

    /// What the worker is told to load, in order.
    fn loads(&self) -> Vec<ToWorker> {
        let model = self.model.as_ref().map(|model| {
            ToWorker::Load(Load {
                path: model.path.clone(),
                sha256: model.sha256.clone(),
                threads: self.threads,
                context: model.context,
            })
        });
        let encoder = self.encoder.as_ref().map(|(_, source)| {
            ToWorker::LoadEncoder(LoadEncoder { source: source.clone(), threads: self.threads })
        });
        model.into_iter().chain(encoder).collect()
    }
}

type Asked = (LocalQuestion, mpsc::Sender<LocalEvent>);

/// Serves questions until their senders are gone and the last has been answered.
pub async fn serve(settings: WorkerSettings, mut questions: mpsc::Receiver<Asked>) {
    #[expect(clippy::disallowed_methods, reason = "one word for each answer under way")]
    let (left, mut leaving) = mpsc::unbounded_channel();
    let mut desk =
        Desk { settings, process: None, answers: HashMap::new(), last_id: 0, last_mark: None, left };
    let mut open = true;
    while open || !desk.answers.is_empty() {
        let (room, busy) = (desk.answers.len() < SEQUENCES_MAX, !desk.answers.is_empty());
        tokio::select! {
            asked = questions.recv(), if open && room => match asked {
                Some((question, events)) => desk.ask(question, events).await,
                None => open = false,
            },
            heard = desk.hear(), if busy => match heard {
                Ok(message) => desk.pass_on(message),
                Err(why) => desk.bury(&why),
            },
            Some(id) = leaving.recv() => desk.cancel(id),
        }
    }
}

/// The questions being answered, and who answers them.
struct Desk {
    settings: WorkerSettings,
    process: Option<Process>,
    answers: HashMap<u64, Answer>,
    last_id: u64,
    /// What the counters showed when the set of answers changed last.
    last_mark: Option<Mark>,
    /// Takes the numbers of those whose readers left.
    left: mpsc::UnboundedSender<u64>,
}

/// One answer on its way.
struct Answer {
    events: mpsc::UnboundedSender<LocalEvent>,
    model: String,
    form: Form,
    begun: bool,
    /// Its part of what was used; `None` where the machine does not show it.
    used: Option<Used>,
}

impl Answer {
    fn tell(&self, event: LocalEvent) {
        // A reader that left is told apart, and the answer cancelled.
        let _ = self.events.send(event);
    }

    fn begin(&mut self, id: u64) {
        if !self.begun {
            self.begun = true;
            self.tell(LocalEvent::Begun);
            for event in self.form.begin(&self.model, id) {
                self.tell(LocalEvent::Said(event));
            }
        }
    }

    fn tell_used(&mut self) {
        if let Some(used) = self.used.take() {
            self.tell(LocalEvent::Used(used));
        }
    }
}

impl Desk {
    /// Takes up a question. What is wrong with it is said to its asker alone.
    async fn ask(&mut self, question: LocalQuestion, events: mpsc::Sender<LocalEvent>) {
        if let Some(why) = self.settings.refuses(&question) {
            let _ = events.send(LocalEvent::Failed(why)).await;
            return;
        }
        let id = self.last_id + 1;
        let LocalQuestion { model, asks } = question;
        let message = match asks {
            LocalAsks::Answer { project, question, max_tokens } => words::generate(&question, max_tokens)
                .map(|(mut request, form)| {
                    request.reader = project.as_deref().map(str::to_owned);
                    (ToWorker::Generate { id, request }, form)
                }),
            LocalAsks::Vectors(texts) => Ok((ToWorker::Embed { id, texts }, Form::Text)),
        };
        // What is too long for a message is the question's fault, and the worker has not heard of it.
        let encoded = message.and_then(|(message, form)| {
            let bytes = encode(&message).map_err(|error| error.to_string())?;
            Ok((bytes, form))
        });
        let (bytes, form) = match encoded {
            Ok(encoded) => encoded,
            Err(why) => {
                let _ = events.send(LocalEvent::Refused { why, code: None }).await;
                return;
            }
        };
        if self.process.as_mut().is_none_or(Process::has_died) {
            self.bury("the worker of local models ended");
            match Process::start(&self.settings).await {
                Ok(started) => self.process = Some(started),
                Err(why) => {
                    tracing::error!(%why, "the worker of local models could not be started");
                    let _ = events.send(LocalEvent::Failed(why)).await;
                    tokio::time::sleep(RESTART_PAUSE).await;
                    return;
                }
            }
        }
        self.share_used();
        let Some(process) = &self.process else { return };
        process.send(bytes);
        self.last_id = id;
        #[expect(
            clippy::disallowed_methods,
            reason = "an answer ends with the context, so that no reader can make it hold more"
        )]
        let (pieces, queue) = mpsc::unbounded_channel();
        tokio::spawn(forward(id, queue, events, self.left.clone()));
        let used = self.last_mark.as_ref().map(|_| words::NOTHING_USED);
        self.answers.insert(id, Answer { events: pieces, model, form, begun: false, used });
    }

    /// The next message of the process. May be dropped at its await.
    async fn hear(&mut self) -> Result<FromWorker, String> {
        match &mut self.process {
            Some(process) => process.receive().await,
            None => Err("the worker of local models is not running".into()),
        }
    }

    fn pass_on(&mut self, message: FromWorker) {
        match message {
            FromWorker::Token { id, text } => {
                if let Some(answer) = self.answers.get_mut(&id) {
                    answer.begin(id);
                    answer.tell(LocalEvent::Said(answer.form.piece(text)));
                }
            }
            FromWorker::Done { id, finish, usage } => {
                if let Some(mut answer) = self.take(id) {
                    answer.begin(id);
                    answer.tell_used();
                    for event in answer.form.end(finish, usage.into()) {
                        answer.tell(LocalEvent::Said(event));
                    }
                    answer.tell(LocalEvent::Done);
                }
            }
            FromWorker::Embedded { id, vectors, tokens, cut } => {
                if let Some(mut answer) = self.take(id) {
                    answer.tell(LocalEvent::Begun);
                    answer.tell_used();
                    answer.tell(LocalEvent::Embedded(embedded(vectors, &tokens, &cut)));
                    answer.tell(LocalEvent::Done);
                }
            }
            FromWorker::Error { id: Some(id), trouble, message } => {
                if let Some(answer) = self.take(id) {
                    answer.tell(match trouble {
                        Trouble::Request => LocalEvent::Refused { why: message, code: None },
                        Trouble::TooLong => {
                            LocalEvent::Refused { why: message, code: Some("context_length_exceeded") }
                        }
                        _ => LocalEvent::Failed(message),
                    });
                }
            }
            FromWorker::Error { id: None, message, .. } => self.bury(&message),
            FromWorker::Ready(_)
            | FromWorker::EncoderReady(_)
            | FromWorker::Counted { .. }
            | FromWorker::Pong { .. } => {}
        }
    }

    /// An answer that has ended.
    fn take(&mut self, id: u64) -> Option<Answer> {
        self.share_used();
        self.answers.remove(&id)
    }

    fn cancel(&mut self, id: u64) {
        if self.answers.contains_key(&id)
            && let Some(process) = &self.process
            && let Ok(bytes) = encode(&ToWorker::Cancel { id })
        {
            process.send(bytes);
        }
    }

    /// The process is of no use any more: whoever waits for it hears why.
    fn bury(&mut self, why: &str) {
        if self.process.take().is_some() && !self.answers.is_empty() {
            tracing::warn!(%why, "the worker of local models died; it is started again for the next question");
        }
        self.last_mark = None;
        for (_, answer) in self.answers.drain() {
            answer.tell(LocalEvent::Failed(why.to_owned()));
        }
    }

    /// Gives what was used since the set of answers changed last to those in it, in equal parts: they read the same
    /// weights at the same time.
    fn share_used(&mut self) {
        let Some(process) = &self.process else { return };
        let now = process.mark();
        let since =
            self.last_mark.as_ref().zip(now.as_ref()).map(|(before, now)| process.between(before, now));
        let parts = self.answers.len() as f64;
        for answer in self.answers.values_mut() {
            answer.used =
                answer.used.zip(since.as_ref()).map(|(used, since)| words::with_part(&used, since, parts));
        }
        self.last_mark = now;
    }
}

/// Passes pieces on to a reader at the reader's pace; says when the reader leaves. The queue holds one answer at most.
async fn forward(
    id: u64,
    mut queue: mpsc::UnboundedReceiver<LocalEvent>,
    events: mpsc::Sender<LocalEvent>,
    left: mpsc::UnboundedSender<u64>,
) {
    loop {
        tokio::select! {
            piece = queue.recv() => match piece {
                Some(piece) => {
                    if events.send(piece).await.is_err() {
                        break;
                    }
                }
                None => return,
            },
            () = events.closed() => break,
        }
    }
    // The desk outlives its answers, or nobody cares any more.
    let _ = left.send(id);
}

fn embedded(vectors: Vec<Vec<f32>>, tokens: &[usize], cut: &[bool]) -> Vectors {
    let cut = tokens.iter().zip(cut).enumerate().filter(|(_, (_, cut))| **cut);
    Vectors {
        vectors,
        tokens: tokens.iter().sum::<usize>() as u64,
        cut: cut.map(|(place, (read, _))| (place, *read)).collect(),
    }
}
