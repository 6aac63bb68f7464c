//! Sentence embeddings from a worker process of our own.

use crate::print::Trouble;
use crate::verbs::model;
use mains_infer::encoder::EncoderSource;
use mains_infer::models::{self, KnownModel};
use mains_infer::worker::{Frames, FromWorker, LoadEncoder, ToWorker, encode};
use mains_ledger::Hash;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The model that heads on embeddings are trained with.
pub(in crate::verbs) const MODEL: &str = "all-minilm-l6-v2";

/// Texts that go to the worker together: progress is told between.
const TEXTS: usize = 64;

/// A worker with the encoder loaded; it ends with this.
pub(in crate::verbs) struct Encoder {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    frames: Frames<FromWorker>,
    next: u64,
    pub(in crate::verbs) dim: usize,
    pub(in crate::verbs) model_sha256: [u8; 32],
    /// Of the tokenizer's file, in hexadecimal.
    pub(in crate::verbs) tokenizer: String,
}

/// The encoder, where its weights are here.
pub(in crate::verbs) fn here() -> Option<&'static KnownModel> {
    let known = models::find(MODEL)?;
    model::is_here(known, &model::folder().ok()?).then_some(known)
}

/// Starts the worker with the encoder.
pub(in crate::verbs) fn start(threads: usize) -> Result<Encoder, Trouble> {
    let absent = || {
        Trouble::new(format!("sentence embeddings are needed, and `{MODEL}` is not here"))
            .hint(format!("`mains model pull {MODEL}` fetches it: 91 MB"))
    };
    let known = here().ok_or_else(absent)?;
    let source = EncoderSource::known(known, &model::folder()?).ok_or_else(absent)?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("worker")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Trouble::new("the worker has no pipes"));
    };
    let model_sha256 = Hash::from_hex(known.sha256).map(|hash| hash.0).unwrap_or_default();
    let tokenizer = source.words_sha256.clone().unwrap_or_default();
    let mut encoder =
        Encoder { child, stdin, stdout, frames: Frames::default(), next: 0, dim: 0, model_sha256, tokenizer };
    match encoder.ask(&ToWorker::LoadEncoder(LoadEncoder { source, threads }))? {
        FromWorker::EncoderReady(ready) => encoder.dim = ready.width,
        other => return Err(unexpected(other)),
    }
    Ok(encoder)
}

fn unexpected(said: FromWorker) -> Trouble {
    match said {
        FromWorker::Error { message, .. } => Trouble::new(message),
        _ => Trouble::new("the worker spoke out of turn"),
    }
}

impl Encoder {
    /// One row of `dim` numbers for each text, in their order; `told` hears how many are done.
    pub(in crate::verbs) fn embed(
        &mut self,
        texts: &[&str],
        told: &dyn Fn(usize),
    ) -> Result<Vec<f32>, Trouble> {
        let mut values = Vec::with_capacity(texts.len() * self.dim);
        for (place, some) in texts.chunks(TEXTS).enumerate() {
            self.next += 1;
            let id = self.next;
            let texts = some.iter().map(|text| (*text).to_owned()).collect();
            match self.ask(&ToWorker::Embed { id, texts })? {
                FromWorker::Embedded { id: of, vectors, .. } if of == id && vectors.len() == some.len() => {
                    values.extend(vectors.iter().flatten());
                }
                other => return Err(unexpected(other)),
            }
            told(place * TEXTS + some.len());
        }
        Ok(values)
    }

    fn ask(&mut self, message: &ToWorker) -> Result<FromWorker, Trouble> {
        self.stdin.write_all(&encode(message)?)?;
        self.stdin.flush()?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            if let Some(message) = self.frames.take()? {
                return Ok(message);
            }
            match self.stdout.read(&mut buffer)? {
                0 => return Err(Trouble::new("the worker of the encoder has died")),
                read => self.frames.push(&buffer[..read]),
            }
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // It holds nothing that could be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
