//! Writes labellers into a data folder, signed by its key, as `mains distill train` does: for tests of clients.
//!
//! usage: labeller DATA TEACHER
//!
//! Three of one invented task: `word`, `field` and `tool`, by how their answers look; whatever speaks of money is
//! `refund`, of passwords `login`.

#![expect(clippy::print_stdout, reason = "an example prints")]

use mains_distill::heads::average::Heads;
use mains_distill::labeller::{Draft, Labeller, Seal};
use mains_distill::task::{LabelSet, Role, Served, Shape, Template, Turn};
use mains_distill::training::{Alone, Example, Lesson, Settings, train};
use mains_distill::watch::Bound;
use mains_distill::wire;
use mains_ledger::Signer;
use mains_units::{Chance, Timestamp};
use mains_wire::Dialect;
use std::error::Error;
use std::path::Path;

const INVENTED: [(&str, [&str; 12]); 2] = [
    (
        "login",
        [
            "password",
            "locked",
            "account",
            "signin",
            "username",
            "reset",
            "code",
            "expired",
            "authenticator",
            "blocked",
            "credentials",
            "session",
        ],
    ),
    (
        "refund",
        [
            "refund", "money", "charged", "payment", "invoice", "twice", "bank", "return", "price",
            "receipt", "billing", "cancel",
        ],
    ),
];
const FILLING: [&str; 10] = ["my", "the", "please", "today", "again", "was", "is", "why", "help", "with"];

/// Questions whose tools and formats are those of the tests of clients.
const QUESTIONS: [(&str, &str); 3] = [
    ("word", r#"{"model":"m","messages":[]}"#),
    (
        "field",
        r#"{"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"verdict","strict":true,"schema":{"type":"object","properties":{"label":{"type":"string"}},"required":["label"],"additionalProperties":false}}}}"#,
    ),
    (
        "tool",
        r#"{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"set_label","description":"stores the label","parameters":{"type":"object","properties":{"label":{"type":"string"}},"required":["label"],"additionalProperties":false}}}],"tool_choice":"required"}"#,
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, teacher] = arguments.as_slice() else {
        return Err("usage: labeller DATA TEACHER".into());
    };
    let data = Path::new(data);
    std::fs::create_dir_all(data.join("labellers"))?;
    let rows = invented();
    let names = INVENTED.map(|(label, _)| (label.to_owned(), rows.len() as u64 / 2));
    let mut trained: Option<Labeller> = None;
    for (name, question) in QUESTIONS {
        let question = wire::read_question(Dialect::OpenaiChat, question.as_bytes())?;
        let fixed = wire::fixed(&question)?;
        let turn = Turn { role: Role::User, text: "Classify: {text}".to_owned() };
        let template = Template::of_prompt(&fixed, &[turn])?;
        let labels = LabelSet::of_labels(&names, shape(name)).map_err(|why| why.to_string())?;
        let bound = Bound { teacher: teacher.clone(), ..Bound::default() };
        let task = Served::new(name, template, labels, bound);
        let labeller = match &trained {
            Some(labeller) => labeller,
            None => trained.insert(taught(&task, &rows)?),
        };
        write(data, &Labeller { task: Some(task), ..labeller.clone() }, name)?;
    }
    Ok(())
}

fn shape(name: &str) -> Shape {
    let (before, after) = ("{\"label\":".to_owned(), "}".to_owned());
    match name {
        "field" => Shape::Field { key: "label".into(), before, after },
        "tool" => Shape::Tool { name: "set_label".into(), argument: "label".into(), before, after },
        _ => Shape::Word,
    }
}

fn invented() -> Vec<(String, String)> {
    let mut chance = Chance::from_seed(5);
    let mut drawn =
        |words: &[&'static str]| words[usize::try_from(chance.below(words.len() as u64)).unwrap_or(0)];
    let mut rows = Vec::new();
    for row in 0..1_600 {
        let (label, words) = &INVENTED[row % 2];
        let text: Vec<&str> =
            (0..9).map(|place| if place % 3 == 2 { drawn(&FILLING) } else { drawn(words) }).collect();
        rows.push((text.join(" "), (*label).to_owned()));
    }
    rows
}

fn taught(task: &Served, rows: &[(String, String)]) -> Result<Labeller, Box<dyn Error>> {
    let examples = (0i64..).zip(rows).map(|(row, (text, label))| {
        let label = task.labels.find(label).ok_or("a label is not in the set")?;
        Ok(Example { name: format!("rows:{row}"), text: text.clone(), label, at: Timestamp(row * 1_000) })
    });
    let examples = examples.collect::<Result<Vec<Example>, &str>>()?;
    let lesson = Lesson { task: task.clone(), examples, costs: None };
    let settings = Settings { heads: Some(Heads::Ngram), ..Settings::new(7, Timestamp(0)) };
    let trained = train(&lesson, None, &settings, &Alone, &|_| ()).map_err(|why| why.to_string())?;
    let served = trained.certificates.served();
    println!("{}", mains_distill::certificate::page(served));
    if served.threshold_micro().is_none() {
        return Err("the certificate refuses".into());
    }
    Ok(trained.labeller)
}

fn write(data: &Path, labeller: &Labeller, name: &str) -> Result<(), Box<dyn Error>> {
    let path = data.join("ledger.key");
    let signer = if path.exists() {
        mains_store::log::key::load(&path)?
    } else {
        mains_store::log::key::create(&path, "mains.example/label", &mains_host::Entropy::system()?.key()?)?
    };
    let draft = Draft::of(labeller);
    let signature = signer.sign(&draft.to_sign())?;
    let signature = signature.try_into().map_err(|_| "no Ed25519 signature")?;
    let file = draft.finish(Some(&Seal { key: signer.verifier().public_bytes(), signature }));
    std::fs::write(data.join("labellers").join(format!("{name}.labeller")), file)?;
    Ok(())
}
