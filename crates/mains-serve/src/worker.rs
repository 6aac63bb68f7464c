//! The worker: a child process of the same executable that runs local models.
//!
//! It has no keys and no environment, a memory limit, and is started again when it dies. One question is answered
//! at a time; others wait in a bounded line.

use crate::local::{LocalAsks, LocalEvent, LocalQuestion, Vectors};
use mains_host::{Gauge, Mark};
use mains_infer::backend::{Generate, Question, Reason, Sampling};
use mains_infer::encoder::EncoderSource;
use mains_infer::tokenizer::{Message, Role as ModelRole};
use mains_infer::worker::{Frames, FromWorker, Load, LoadEncoder, ToWorker, encode};
use mains_units::Usage;
use mains_wire::neutral::{BlockStart, Content, Delta, Event, Question as Neutral, Role, StopReason};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

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

/// Serves questions until their senders are gone.
pub async fn serve(settings: WorkerSettings, mut questions: mpsc::Receiver<Asked>) {
    let mut running: Option<Running> = None;
    let mut next_id = 0;
    while let Some((question, events)) = questions.recv().await {
        if let Some(why) = settings.refuses(&question) {
            let _ = events.send(LocalEvent::Failed(why)).await;
            continue;
        }
        if running.as_mut().is_none_or(Running::has_died) {
            running = match Running::start(&settings).await {
                Ok(started) => Some(started),
                Err(why) => {
                    tracing::error!(%why, "the worker of local models could not be started");
                    let _ = events.send(LocalEvent::Failed(why)).await;
                    tokio::time::sleep(RESTART_PAUSE).await;
                    None
                }
            };
        }
        let Some(worker) = &mut running else { continue };
        next_id += 1;
        if let Err(why) = worker.answer(next_id, question, &events).await {
            tracing::warn!(%why, "the worker of local models died; it is started again for the next question");
            let _ = events.send(LocalEvent::Failed(why)).await;
            running = None;
        }
    }
}

struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    frames: Frames<FromWorker>,
    gauge: Gauge,
}

impl Running {
    async fn start(settings: &WorkerSettings) -> Result<Self, String> {
        let (program, verb) = &settings.command;
        let mut child = Command::new(program)
            .arg(verb)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own: an interrupt from the terminal ends the outlet, which lets the answer finish.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the worker could not be started: {error}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the worker has no pipes".into());
        };
        let mut worker = Self { child, stdin, stdout, frames: Frames::default(), gauge: Gauge::find() };
        for load in settings.loads() {
            worker.send(&load).await?;
            match tokio::time::timeout(LOAD_WITHIN, worker.receive()).await {
                Ok(Ok(FromWorker::Ready(_) | FromWorker::EncoderReady(_))) => {}
                Ok(Ok(FromWorker::Error { message, .. })) => return Err(message),
                Ok(Ok(_)) => return Err("the worker spoke out of turn".into()),
                Ok(Err(why)) => return Err(why),
                Err(_) => return Err("the worker did not load the model in time".into()),
            }
        }
        Ok(worker)
    }

    fn has_died(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What the counters show now.
    fn mark(&self) -> Option<Mark> {
        self.gauge.mark(self.child.id()?)
    }

    async fn send(&mut self, message: &ToWorker) -> Result<(), String> {
        let bytes = encode(message).map_err(|error| error.to_string())?;
        self.write(&bytes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stdin.write_all(bytes).await.map_err(|error| format!("the worker does not listen: {error}"))?;
        self.stdin.flush().await.map_err(|error| format!("the worker does not listen: {error}"))
    }

    async fn receive(&mut self) -> Result<FromWorker, String> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            if let Some(message) = self.frames.take().map_err(|error| error.to_string())? {
                return Ok(message);
            }
            match self.stdout.read(&mut buffer).await {
                Ok(0) => return Err("the worker ended in the middle of an answer".into()),
                Ok(length) => self.frames.push(&buffer[..length]),
                Err(error) => return Err(format!("the worker cannot be read: {error}")),
            }
        }
    }

    /// Tells what the answer used of this machine, where it shows it.
    async fn used(&self, before: Option<&Mark>, events: &mpsc::Sender<LocalEvent>) {
        if let (Some(before), Some(after)) = (before, self.mark()) {
            let _ = events.send(LocalEvent::Used(self.gauge.between(before, &after))).await;
        }
    }

    /// Asks one question and passes its answer on. An error means that the worker is of no use any more.
    async fn answer(
        &mut self,
        id: u64,
        question: LocalQuestion,
        events: &mpsc::Sender<LocalEvent>,
    ) -> Result<(), String> {
        let LocalQuestion { model, asks } = question;
        let message = match asks {
            LocalAsks::Answer { question, max_tokens } => {
                generate(&question, max_tokens).map(|request| ToWorker::Generate { id, request })
            }
            LocalAsks::Vectors(texts) => Ok(ToWorker::Embed { id, texts }),
        };
        // What is too long for a message is the question's fault, and the worker has not heard of it.
        let bytes = match message.and_then(|message| encode(&message).map_err(|error| error.to_string())) {
            Ok(bytes) => bytes,
            Err(why) => {
                let _ = events.send(LocalEvent::Failed(why)).await;
                return Ok(());
            }
        };
        let before = self.mark();
        self.write(&bytes).await?;
        let mut begun = false;
        let mut cancelled = false;
        loop {
            let message = tokio::select! {
                message = self.receive() => message?,
                () = events.closed(), if !cancelled => {
                    cancelled = true;
                    self.send(&ToWorker::Cancel { id }).await?;
                    continue;
                }
            };
            match message {
                FromWorker::Token { id: of, text } if of == id => {
                    if !begun {
                        begun = true;
                        begin(events, &model, id).await;
                    }
                    let delta = Delta::Text(text);
                    tell(events, Event::Delta { choice: 0, block: 0, delta }).await;
                }
                FromWorker::Done { id: of, finish, usage } if of == id => {
                    if !begun {
                        begin(events, &model, id).await;
                    }
                    self.used(before.as_ref(), events).await;
                    end(events, finish, usage.into()).await;
                    return Ok(());
                }
                FromWorker::Embedded { id: of, vectors, tokens, cut } if of == id => {
                    let _ = events.send(LocalEvent::Begun).await;
                    self.used(before.as_ref(), events).await;
                    let _ = events.send(LocalEvent::Embedded(embedded(vectors, &tokens, &cut))).await;
                    let _ = events.send(LocalEvent::Done).await;
                    return Ok(());
                }
                FromWorker::Error { id: Some(of), message, .. } if of == id => {
                    let _ = events.send(LocalEvent::Failed(message)).await;
                    return Ok(());
                }
                FromWorker::Error { id: None, message, .. } => return Err(message),
                // Words of an earlier answer that was cancelled.
                _ => {}
            }
        }
    }
}

fn embedded(vectors: Vec<Vec<f32>>, tokens: &[usize], cut: &[bool]) -> Vectors {
    let cut = tokens.iter().zip(cut).enumerate().filter(|(_, (_, cut))| **cut);
    Vectors {
        vectors,
        tokens: tokens.iter().sum::<usize>() as u64,
        cut: cut.map(|(place, (read, _))| (place, *read)).collect(),
    }
}

async fn tell(events: &mpsc::Sender<LocalEvent>, event: Event) {
    // A reader that left is noticed by the loop, which then cancels.
    let _ = events.send(LocalEvent::Said(event)).await;
}

async fn begin(events: &mpsc::Sender<LocalEvent>, model: &str, id: u64) {
    let _ = events.send(LocalEvent::Begun).await;
    tell(events, Event::Start { id: format!("local-{id}"), model: model.to_owned(), created: None }).await;
    tell(events, Event::BlockStart { choice: 0, block: 0, start: BlockStart::Text }).await;
}

async fn end(events: &mpsc::Sender<LocalEvent>, finish: Reason, usage: Usage) {
    tell(events, Event::BlockEnd { choice: 0, block: 0 }).await;
    let reason = match finish {
        Reason::Stop => StopReason::EndTurn,
        Reason::Length => StopReason::MaxTokens,
        Reason::Cancelled => StopReason::Other("cancelled".into()),
    };
    tell(events, Event::Stop { choice: 0, reason }).await;
    tell(events, Event::Usage(usage)).await;
    let _ = events.send(LocalEvent::Done).await;
}

/// The question in the engine's words. What it cannot carry is refused: the choice of targets has already skipped
/// this one for tools, images and schemas.
fn generate(question: &Neutral, max_tokens: u64) -> Result<Generate, String> {
    let mut messages = Vec::new();
    for message in question.instructions.iter().chain(&question.messages) {
        let role = match message.role {
            Role::System | Role::Developer => ModelRole::System,
            Role::User => ModelRole::User,
            Role::Assistant => ModelRole::Assistant,
        };
        let mut content = String::new();
        for block in &message.blocks {
            match &block.content {
                Content::Text { text, .. } => content.push_str(text),
                Content::Reasoning { .. } | Content::RedactedReasoning { .. } => {}
                _ => return Err("the local model takes text only".into()),
            }
        }
        messages.push(Message { role, content });
    }
    #[expect(clippy::cast_possible_truncation, reason = "sampling needs no more than single precision")]
    let sampling = Sampling {
        temperature: question.sampling.temperature.unwrap_or(1.0) as f32,
        top_p: question.sampling.top_p.unwrap_or(1.0) as f32,
        top_k: u32::try_from(question.sampling.top_k.unwrap_or(0)).unwrap_or(0),
        seed: question.sampling.seed.unwrap_or(0).cast_unsigned(),
    };
    Ok(Generate {
        question: Question::Chat(messages),
        max_tokens: Some(max_tokens),
        sampling,
        stop: question.stop.clone(),
    })
}
