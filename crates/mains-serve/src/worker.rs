//! The worker: a child process of the same executable that runs local models.
//!
//! It has no keys and no environment, a memory limit, and is started again when it dies. One question is answered
//! at a time; others wait in a bounded line.

use crate::local::{LocalEvent, LocalQuestion};
use mains_host::{Gauge, Mark};
use mains_infer::backend::{Generate, Question, Reason, Sampling};
use mains_infer::tokenizer::{Message, Role as ModelRole};
use mains_infer::worker::{Frames, FromWorker, Load, ToWorker, encode};
use mains_units::Usage;
use mains_wire::neutral::{BlockStart, Content, Delta, Event, Role, StopReason};
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

/// How a worker is started, and with which model.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The executable, and the verb that makes it a worker.
    pub command: (PathBuf, String),
    /// The model's name in routes.
    pub model: String,
    /// Its file.
    pub path: PathBuf,
    /// What the file must hash to.
    pub sha256: Option<String>,
    /// Threads.
    pub threads: usize,
    /// Context in tokens.
    pub context: usize,
}

type Asked = (LocalQuestion, mpsc::Sender<LocalEvent>);

/// Serves questions until their senders are gone.
pub async fn serve(settings: WorkerSettings, mut questions: mpsc::Receiver<Asked>) {
    let mut running: Option<Running> = None;
    let mut next_id = 0;
    while let Some((question, events)) = questions.recv().await {
        if question.model != settings.model {
            let why = format!("the local model `{}` is not loaded; `{}` is", question.model, settings.model);
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
        worker
            .send(&ToWorker::Load(Load {
                path: settings.path.clone(),
                sha256: settings.sha256.clone(),
                threads: settings.threads,
                context: settings.context,
            }))
            .await?;
        match tokio::time::timeout(LOAD_WITHIN, worker.receive()).await {
            Ok(Ok(FromWorker::Ready(_))) => Ok(worker),
            Ok(Ok(FromWorker::Error { message, .. })) => Err(message),
            Ok(Ok(_)) => Err("the worker spoke out of turn".into()),
            Ok(Err(why)) => Err(why),
            Err(_) => Err("the worker did not load the model in time".into()),
        }
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
        self.stdin.write_all(&bytes).await.map_err(|error| format!("the worker does not listen: {error}"))?;
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

    /// Asks one question and passes its answer on. An error means that the worker is of no use any more.
    async fn answer(
        &mut self,
        id: u64,
        question: LocalQuestion,
        events: &mpsc::Sender<LocalEvent>,
    ) -> Result<(), String> {
        let model = question.model.clone();
        let request = match generate(&question) {
            Ok(request) => request,
            Err(why) => {
                let _ = events.send(LocalEvent::Failed(why)).await;
                return Ok(());
            }
        };
        let before = self.mark();
        self.send(&ToWorker::Generate { id, request }).await?;
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
                    if let (Some(before), Some(after)) = (&before, self.mark()) {
                        let _ = events.send(LocalEvent::Used(self.gauge.between(before, &after))).await;
                    }
                    end(events, finish, usage.into()).await;
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
fn generate(asked: &LocalQuestion) -> Result<Generate, String> {
    let question = &asked.question;
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
        max_tokens: Some(asked.max_tokens),
        sampling,
        stop: question.stop.clone(),
    })
}
