//! The child and its pipes.

use super::{LOAD_WITHIN, WorkerSettings};
use mains_host::{Gauge, Mark, Used};
use mains_infer::worker::{Frames, FromWorker, encode};
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

/// A running worker. It ends when this is dropped.
pub(super) struct Process {
    child: Child,
    /// Frames for its input. A task of its own writes them, so that a full pipe one way never stops the other.
    frames_in: mpsc::UnboundedSender<Vec<u8>>,
    stdout: ChildStdout,
    frames: Frames<FromWorker>,
    gauge: Gauge,
}

impl Process {
    /// Starts a worker and lets it load its models.
    pub(super) async fn start(settings: &WorkerSettings) -> Result<Self, String> {
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
        #[expect(
            clippy::disallowed_methods,
            reason = "one frame a question and one an end of it, and few questions are under way at once"
        )]
        let (frames_in, queue) = mpsc::unbounded_channel();
        tokio::spawn(write(stdin, queue));
        let mut process = Self { child, frames_in, stdout, frames: Frames::default(), gauge: Gauge::find() };
        for load in settings.loads() {
            process.send(encode(&load).map_err(|error| error.to_string())?);
            match tokio::time::timeout(LOAD_WITHIN, process.receive()).await {
                Ok(Ok(FromWorker::Ready(_) | FromWorker::EncoderReady(_))) => {}
                Ok(Ok(FromWorker::Error { message, .. })) => return Err(message),
                Ok(Ok(_)) => return Err("the worker spoke out of turn".into()),
                Ok(Err(why)) => return Err(why),
                Err(_) => return Err("the worker did not load the model in time".into()),
            }
        }
        Ok(process)
    }

    pub(super) fn has_died(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What the counters show now.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.gauge.mark(self.child.id()?)
    }

    /// What was used between two marks.
    pub(super) fn between(&self, before: &Mark, after: &Mark) -> Used {
        self.gauge.between(before, after)
    }

    /// Puts a frame in its input. One that no longer listens ends its output too, which is where that is seen.
    pub(super) fn send(&self, frame: Vec<u8>) {
        let _ = self.frames_in.send(frame);
    }

    /// Its next message. Nothing is lost when this is dropped at an await.
    pub(super) async fn receive(&mut self) -> Result<FromWorker, String> {
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
}

async fn write(mut stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(frame) = queue.recv().await {
        if stdin.write_all(&frame).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}
