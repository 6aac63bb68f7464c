//! Trains a labeller, rules on its promises, and puts everything down.
//!
//! `terms` asks whether training is allowed, `delta` keeps what promises have staked, `bar` shows how far it is,
//! `put` signs and writes; here one after the other.

mod bar;
mod delta;
mod put;
mod terms;

use super::crew::Threads;
use super::encoder;
use super::found::{self, Found};
use super::report::{self, About, Document};
use super::shelf::{self, Shelf};
use crate::cli::{DistillTrain, Embeddings, HeadsOf, PromiseOf};
use crate::print::{self, Ended, Trouble};
use crate::verbs::now;
use bar::Bar;
use delta::Looks;
use mains_distill::certificate::{Costs, Promise, Terms};
use mains_distill::heads::average::Heads;
use mains_distill::training::{Embedded, Lesson, Settings, Trained, train};
use mains_units::Timestamp;

/// Trains; a promise that is refused is a finding.
pub(super) fn run(arguments: &DistillTrain) -> Result<Ended, Trouble> {
    let name = arguments.name.as_deref().unwrap_or(&arguments.task);
    shelf::check_name(name)?;
    let shelf = Shelf::at(&arguments.vault.data);
    let mut task = found::one(&arguments.vault, &arguments.task)?;
    let (teacher, other_teachers) = task.of_one_teacher();
    if teacher.is_empty() {
        return Err(Trouble::new(format!("nobody says which model labelled `{}`", task.name))
            .hint("`mains distill import … --teacher MODEL --replace` names it"));
    }
    let allowed = terms::ask(arguments.terms_allow, &teacher)?;
    shelf.make()?;
    let threads = Threads::of(arguments.threads);
    let bar = Bar::start();
    let embedded = embeddings(arguments, &task, threads.0, &bar)?;
    let tokenizer = embedded.as_ref().map(|embedded| embedded.tokenizer.clone());
    // The labeller's own cost is not known before it serves: what it burns in microseconds is below what is measured.
    let lesson = Lesson {
        task: task.served(name, &teacher, tokenizer.filter(|_| arguments.heads != HeadsOf::Ngram)),
        examples: task.examples(),
        costs: costs(&task),
    };
    let mut looks = Looks::read(&shelf)?;
    let settings = settings(arguments, now());
    let look = delta::Look::of(&lesson, &settings, embedded.as_ref().map(|embedded| embedded.model_sha256));
    let at = looks.first(&look).unwrap_or(settings.at);
    let settings = Settings { ledger: looks.ledger(&look, arguments.together), at, ..settings };
    let trained = {
        let embedded = embedded.as_ref().map(|embedded| Embedded {
            model_sha256: embedded.model_sha256,
            values: &embedded.values,
            dim: embedded.dim,
        });
        train(&lesson, embedded, &settings, &threads, &|stage| bar.stage(stage))?
    };
    bar.end();
    looks.note(look, &trained.certificates);
    let trained = with_own(trained, lesson);
    let about = About {
        name: name.to_owned(),
        task: task.name.clone(),
        origin: task.origin.clone(),
        teacher,
        other_teachers,
        terms_allow: allowed,
        seed: arguments.seed,
        at: settings.at,
        looks: looks.count(),
    };
    let document = put::all(&shelf, about, &trained, &task, &looks)?;
    if arguments.json {
        print::json(&document)?;
    } else {
        print::data(&report::text(&document));
        print::say(&format!("page: {}", shelf.file(name, "html").display()));
        if document.certificates.served().threshold_micro().is_some() {
            print::say(&format!("next: `mains label {} --verify`", shelf.file(name, "labeller").display()));
        }
    }
    Ok(ended(&document))
}

fn ended(document: &Document) -> Ended {
    if document.certificates.served().threshold_micro().is_some() { Ended::Clean } else { Ended::Findings }
}

/// A trained labeller with its lesson.
pub(super) struct Done {
    pub(super) trained: Trained,
    pub(super) lesson: Lesson,
}

fn with_own(mut trained: Trained, lesson: Lesson) -> Done {
    trained.labeller.lineage.push(terms::origin());
    Done { trained, lesson }
}

fn settings(arguments: &DistillTrain, at: Timestamp) -> Settings {
    let terms = |promise| Terms {
        delta_ppm: 1_000_000 - arguments.confidence,
        ..Terms::new(promise, arguments.differ)
    };
    Settings {
        all: terms(Promise::AllTraffic),
        local: terms(Promise::AnsweredLocally),
        serve: match arguments.promise {
            PromiseOf::All => Promise::AllTraffic,
            PromiseOf::Local => Promise::AnsweredLocally,
        },
        heads: match arguments.heads {
            HeadsOf::Auto => None,
            HeadsOf::Ngram => Some(Heads::Ngram),
            HeadsOf::Dense => Some(Heads::Dense),
            HeadsOf::Both => Some(Heads::Both),
        },
        ..Settings::new(arguments.seed, at)
    }
}

fn costs(task: &Found) -> Option<(Costs, Costs)> {
    let teacher = task.teacher_costs();
    let nothing = Costs::default();
    if teacher == nothing {
        return None;
    }
    // What is not known of the teacher is not known to be saved; the labeller asks nobody, so it is paid nothing.
    let labeller = Costs {
        nano_usd_per_1000: teacher.nano_usd_per_1000.map(|_| 0),
        mj_per_1000: None,
        ms_per_1000: None,
    };
    Some((teacher, labeller))
}

/// The rows' embeddings, with the model that made them.
struct Made {
    values: Vec<f32>,
    dim: usize,
    model_sha256: [u8; 32],
    tokenizer: String,
}

fn embeddings(
    arguments: &DistillTrain,
    task: &Found,
    threads: usize,
    bar: &Bar,
) -> Result<Option<Made>, Trouble> {
    let needed = matches!(arguments.heads, HeadsOf::Dense | HeadsOf::Both);
    if arguments.embeddings == Embeddings::No || arguments.heads == HeadsOf::Ngram {
        return Ok(None);
    }
    if encoder::here().is_none() && !needed {
        print::say(&format!(
            "n-grams alone: `mains model pull {}` fetches an encoder that a second head learns from",
            encoder::MODEL
        ));
        return Ok(None);
    }
    let mut encoder = encoder::start(threads)?;
    let texts: Vec<&str> = task.rows.iter().map(|row| row.text.as_str()).collect();
    let values = encoder.embed(&texts, &|done| bar.embedding(done, texts.len()))?;
    Ok(Some(Made {
        values,
        dim: encoder.dim,
        model_sha256: encoder.model_sha256,
        tokenizer: encoder.tokenizer.clone(),
    }))
}
