//! `mains label`: texts from stdin to labels, on all cores and in their order.
//!
//! `verify` checks a labeller's file instead.

mod verify;

use crate::cli::Label;
use crate::print::{Ended, Trouble};
use crate::verbs::distill::crew::cores;
use crate::verbs::distill::encoder::Encoder;
use crate::verbs::distill::{judged, shelf};
use mains_distill::labeller::{Labelled, Labeller, Lacking, Scratch};
use serde_json::{Value, json};
use std::io::{BufRead, BufWriter, Read, Write};

/// Texts that are labelled together on all cores.
const BATCH: usize = 8_192;

/// Bytes of them: whichever is reached first.
const BATCH_BYTES: usize = 8 << 20;

/// The longest line.
const LINE_BYTES_MAX: u64 = 16 << 20;

pub(crate) fn run(arguments: &Label) -> Result<Ended, Trouble> {
    if arguments.verify {
        return verify::run(arguments);
    }
    let (_, labeller) = shelf::labeller(&arguments.file)?;
    let threads = arguments.threads.map_or_else(cores, usize::from);
    let encoder = labeller.needs_embedding().then(|| judged::of(&labeller, threads)).transpose()?;
    let written = written(&labeller);
    let mut desk = Desk { arguments, labeller: &labeller, written: &written, threads, encoder };
    let mut input = std::io::stdin().lock();
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut line = 0;
    // A person who types waits for each answer; a program waits for many.
    let most = if std::io::IsTerminal::is_terminal(&std::io::stdin()) { 1 } else { BATCH };
    loop {
        let texts = desk.read(&mut input, &mut line, most)?;
        if texts.is_empty() {
            return Ok(Ended::Clean);
        }
        let said = desk.label(&texts)?;
        for (text, said) in texts.iter().zip(&said) {
            if desk.print(&mut output, text, said).is_err() {
                // Nobody reads any more.
                return Ok(Ended::Clean);
            }
        }
        if output.flush().is_err() {
            return Ok(Ended::Clean);
        }
    }
}

/// The labels as the teacher writes them.
fn written(labeller: &Labeller) -> Vec<String> {
    match &labeller.task {
        Some(task) => task.labels.labels.iter().map(|label| label.written.trim().to_owned()).collect(),
        None => labeller.labels.clone(),
    }
}

struct Desk<'d> {
    arguments: &'d Label,
    labeller: &'d Labeller,
    written: &'d [String],
    threads: usize,
    encoder: Option<Encoder>,
}

impl Desk<'_> {
    /// The next texts; none at the end.
    fn read(&self, input: &mut impl BufRead, line: &mut u64, most: usize) -> Result<Vec<String>, Trouble> {
        let (mut texts, mut bytes) = (Vec::new(), 0);
        while texts.len() < most && bytes < BATCH_BYTES {
            let mut raw = Vec::new();
            if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut raw)? == 0 {
                break;
            }
            *line += 1;
            bytes += raw.len();
            let wrong = |why: String| Trouble::new(format!("line {line}: {why}"));
            if raw.len() as u64 == LINE_BYTES_MAX {
                return Err(wrong(format!("longer than {} MiB", LINE_BYTES_MAX >> 20)));
            }
            let text = String::from_utf8(raw).map_err(|_| wrong("not UTF-8 text".into()))?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            texts.push(match &self.arguments.field {
                None => text.to_owned(),
                Some(field) => {
                    let value: Value =
                        serde_json::from_str(text).map_err(|error| wrong(format!("no JSON: {error}")))?;
                    match value.get(field) {
                        Some(Value::String(text)) => text.clone(),
                        _ => return Err(wrong(format!("no text in `{field}`"))),
                    }
                }
            });
        }
        Ok(texts)
    }

    fn label(&mut self, texts: &[String]) -> Result<Vec<Labelled>, Trouble> {
        let embedded = match &mut self.encoder {
            Some(encoder) => {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                Some((encoder.embed(&texts, &|_| {})?, encoder.dim))
            }
            None => None,
        };
        let each = texts.len().div_ceil(self.threads).max(1);
        let labeller = self.labeller;
        let some = |part: usize, texts: &[String]| -> Result<Vec<Labelled>, Lacking> {
            let mut scratch = Scratch::default();
            let all = texts.iter().enumerate().map(|(place, text)| {
                let row = part * each + place;
                let embedding = embedded.as_ref().and_then(|(all, dim)| all.get(row * dim..(row + 1) * dim));
                labeller.label_with(text, embedding, &mut scratch)
            });
            all.collect()
        };
        let parts: Vec<Result<Vec<Labelled>, Lacking>> = std::thread::scope(|scope| {
            let some = &some;
            let threads: Vec<_> = texts
                .chunks(each)
                .enumerate()
                .map(|(part, texts)| scope.spawn(move || some(part, texts)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut all = Vec::with_capacity(texts.len());
        for part in parts {
            all.extend(part?);
        }
        Ok(all)
    }

    fn print(&self, output: &mut impl Write, text: &str, said: &Labelled) -> std::io::Result<()> {
        let label = self.written.get(said.label as usize).map_or("", String::as_str);
        let then = if said.local { "local" } else { "escalate" };
        if self.arguments.json {
            // As many digits as tell two floats apart.
            let confidence: Value = serde_json::from_str(&said.confidence.to_string()).unwrap_or(Value::Null);
            let line = json!({"label": label, "confidence": confidence, "then": then, "text": text});
            writeln!(output, "{line}")
        } else {
            writeln!(output, "{label}\t{:.4}\t{then}", said.confidence)
        }
    }
}
