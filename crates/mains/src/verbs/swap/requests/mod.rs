//! Where requests come from: kept records of a route, or a file in one of the forms of [`Form`].
//!
//! Read `item` (one request), `records` (a file into JSON values with their places), `form` (which form they are
//! in), then one file a form: `own`, `litellm`, `langfuse`, `openai`; `vault` is the outlet's own kept records.
//! `answer` reads what was answered, whole or as a stream; `value` reads what exports write loosely.
//!
//! Whatever does not become an item is counted with its reason. A wrong line in a form that people write
//! themselves is an error with its place; an unusable row of an export is left out and counted.

mod answer;
mod form;
mod item;
mod langfuse;
mod litellm;
mod openai;
mod own;
mod records;
pub(in crate::verbs) mod value;
mod vault;

pub(super) use answer::said;
pub(super) use form::Form;
pub(super) use item::{Item, Recorded};

use crate::cli::SwapRequests;
use crate::print::{self, Trouble};
use records::{Place, Record};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

/// What was found: the requests, and an account of everything else.
pub(super) struct Gathered {
    pub(super) form: Form,
    /// The file, or the route.
    pub(super) source: String,
    pub(super) items: Vec<Item>,
    /// Why records were left out, with how many and the place of the first.
    pub(super) left_out: Reasons,
    /// Why items that could have a recorded answer have none.
    pub(super) without_answer: Reasons,
    names: HashSet<String>,
}

/// Reasons with how often each held and where it held first.
#[derive(Debug, Default)]
pub(super) struct Reasons(BTreeMap<String, (u64, Place)>);

impl Reasons {
    fn count(&mut self, why: impl Into<String>, place: Place) {
        self.0.entry(why.into()).or_insert((0, place)).0 += 1;
    }

    pub(super) fn total(&self) -> u64 {
        self.0.values().map(|(count, _)| count).sum()
    }

    pub(super) fn each(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(why, (count, _))| (why.as_str(), *count))
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (why, (count, place))) in self.0.iter().enumerate() {
            let joint = if index > 0 { "; " } else { "" };
            write!(f, "{joint}{} {why} (first: {place})", print::thousands(*count))?;
        }
        Ok(())
    }
}

/// What a form makes of one record.
enum Made {
    Item(Box<Item>),
    /// An item whose recorded answer cannot be used, and why.
    Unanswered(Box<Item>, String),
    /// Nothing, and why.
    Left(String),
    /// Nothing, because the file is wrong; how to mend it may follow on a line of its own.
    Wrong(String),
}

impl Gathered {
    fn new(form: Form, source: String) -> Self {
        Self {
            form,
            source,
            items: Vec::new(),
            left_out: Reasons::default(),
            without_answer: Reasons::default(),
            names: HashSet::new(),
        }
    }

    /// Takes in what a record became; a name that stands twice is an error only where people give the names.
    fn take(&mut self, made: Made, place: Place) -> Result<(), String> {
        let item = match made {
            Made::Wrong(why) => return Err(why),
            Made::Left(why) => {
                self.left_out.count(why, place);
                return Ok(());
            }
            Made::Unanswered(item, why) => {
                self.without_answer.count(why, place);
                item
            }
            Made::Item(item) => item,
        };
        if self.names.insert(item.id.clone()) {
            self.items.push(*item);
        } else if self.form.is_export() {
            self.left_out.count("stand there twice", place);
        } else {
            return Err(format!("the request `{}` stands here twice", item.id));
        }
        Ok(())
    }

    /// Items with a recorded answer.
    pub(super) fn answered(&self) -> usize {
        self.items.iter().filter(|item| item.reference.is_some()).count()
    }

    /// Says what was recognised and what was left out; fails where nothing remains.
    fn said(self) -> Result<Self, Trouble> {
        if self.items.is_empty() {
            let why = if self.left_out.total() == 0 {
                "nothing is there".into()
            } else {
                self.left_out.to_string()
            };
            let trouble = Trouble::new(format!("{} holds no request to ask: {why}", self.source));
            return Err(match self.form.hint() {
                Some(hint) => trouble.hint(hint),
                None => trouble,
            });
        }
        let count = print::plural(self.items.len() as u64, "request");
        let answered = print::thousands(self.answered() as u64);
        print::say(&format!(
            "{count}, {answered} with a recorded answer: {} in {}",
            self.form.words(),
            self.source
        ));
        if self.left_out.total() > 0 {
            print::say(&format!("left out {}: {}", print::thousands(self.left_out.total()), self.left_out));
        }
        if self.without_answer.total() > 0 {
            print::say(&format!("without a recorded answer: {}", self.without_answer));
        }
        Ok(self)
    }
}

/// The requests that the flags name. `data` is the outlet's folder.
pub(super) fn read(from: &SwapRequests, data: &Path) -> Result<Vec<Item>, Trouble> {
    Ok(gather(from, data)?.items)
}

/// The same with the account.
pub(super) fn gather(from: &SwapRequests, data: &Path) -> Result<Gathered, Trouble> {
    match (&from.route, &from.requests) {
        (Some(route), _) => vault::read(route, from, data)?.said(),
        (None, Some(path)) => {
            let mut gathered = file(path, from.answers.as_deref())?;
            gathered.within(from);
            gathered.said()
        }
        (None, None) => Err(Trouble::new("nothing says which requests to ask").hint(
            "`--route MODEL` takes the kept records of a route, `--requests FILE` a file or an export",
        )),
    }
}

impl Gathered {
    /// Leaves out what was asked outside of the asked time. What has no time stays.
    fn within(&mut self, from: &SwapRequests) {
        if from.since.is_none() && from.until.is_none() {
            return;
        }
        let inside = |item: &Item| {
            item.at.is_none_or(|at| from.since.is_none_or(|s| s <= at) && from.until.is_none_or(|u| at < u))
        };
        let before = self.items.len();
        self.items.retain(inside);
        for _ in self.items.len()..before {
            self.left_out.count("were asked outside of `--since` and `--until`", Place::None);
        }
    }
}

fn file(path: &Path, answers: Option<&Path>) -> Result<Gathered, Trouble> {
    let records = records::read(path)?;
    let shown = format!("`{}`", path.display());
    let Some(first) = records.first() else {
        return Err(Trouble::new(format!("{shown} holds no request")));
    };
    let form = form::recognise(&first.value).ok_or_else(|| {
        Trouble::new(format!("{shown} {}: no form of a request that is known here", first.place))
            .hint(form::KNOWN)
    })?;
    if answers.is_some() && form != Form::Batch {
        return Err(Trouble::new(format!(
            "{shown} is {}, and `--answers` belongs to a batch input",
            form.words()
        ))
        .hint("leave `--answers` out: the answers of this form stand in the file itself"));
    }
    let mut gathered = Gathered::new(form, shown.clone());
    let mut joined = answers.map(openai::Answers::read).transpose()?;
    for Record { place, value } in records {
        let made = match form {
            Form::Own => own::item(&value, place),
            Form::LiteLlm => litellm::item(&value),
            Form::Langfuse => langfuse::item(&value),
            Form::LangfuseTraces => {
                for made in langfuse::trace(value) {
                    gathered.take(made, place).map_err(|why| wrong(&shown, place, &why))?;
                }
                continue;
            }
            Form::Batch => openai::batch(&value, joined.as_mut()),
            Form::BatchAnswers => return Err(openai::only_answers(&shown)),
            Form::Stored => openai::stored(&value),
            Form::FineTuning => openai::fine_tuning(value, place),
            Form::Vault => Made::Left("are no records of a file".into()),
        };
        gathered.take(made, place).map_err(|why| wrong(&shown, place, &why))?;
    }
    if let Some(unused) = joined.map(openai::Answers::into_unused).filter(|unused| *unused > 0) {
        print::say(&format!("`--answers` holds {} to no request here", print::plural(unused, "answer")));
    }
    Ok(gathered)
}

fn wrong(shown: &str, place: Place, why: &str) -> Trouble {
    match why.split_once('\n') {
        Some((why, hint)) => Trouble::new(format!("{shown} {place}: {why}")).hint(hint),
        None => Trouble::new(format!("{shown} {place}: {why}")),
    }
}
