//! How every labeller in the folder stands.

use super::report::{Document, percent, promise};
use super::shelf::{self, Shelf};
use crate::cli::Data;
use crate::print::{self, Ended, Trouble};
use crate::verbs::now;
use mains_distill::certificate::Ruling;
use mains_serve::control::SOCKET;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long the outlet may take to answer.
const WAIT: Duration = Duration::from_secs(5);

/// Its answer is no longer.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// How a labeller is served, as the running outlet says it.
struct Serving {
    words: String,
    json: Value,
    withdrawn: bool,
}

/// What the running outlet says of its labellers, by name; nothing where none runs or none is served.
fn serving(data: &Path) -> BTreeMap<String, Serving> {
    let lines = ask(data).unwrap_or_default();
    let lines = lines.get("labels").and_then(Value::as_array).cloned().unwrap_or_default();
    lines.into_iter().filter_map(|line| Some((line["labeller"].as_str()?.to_owned(), told(line)))).collect()
}

/// Asks over the control socket, a line each way.
fn ask(data: &Path) -> std::io::Result<Value> {
    let mut stream = UnixStream::connect(data.join(SOCKET))?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.write_all(b"\"labels\"\n")?;
    let mut line = String::new();
    BufReader::new(stream).take(ANSWER_BYTES_MAX).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn told(line: Value) -> Serving {
    let count = |name: &str| line[name].as_u64().map_or_else(|| "unknown".to_owned(), print::thousands);
    let text = |name: &str| line[name].as_str().unwrap_or("unknown").to_owned();
    let withdrawn = line["withdrawn"].as_str();
    let stage = match withdrawn {
        Some(why) => format!("withdrawn: {why}"),
        None => format!("{}, {} %", text("stage"), count("share_percent")),
    };
    let words = format!(
        "`{}`: {stage}; {} of {} requests in scope answered here; {} of {} compared answers differ",
        text("route"),
        count("answered"),
        count("in_scope"),
        count("differs"),
        count("calls"),
    );
    Serving { words, withdrawn: withdrawn.is_some(), json: line }
}

/// Prints all; a refused or withdrawn labeller is a finding.
pub(super) fn run(data: &Data) -> Result<Ended, Trouble> {
    let shelf = Shelf::at(&data.data);
    let (key, serving) = (shelf.verifier(), serving(&data.data));
    let mut found = false;
    let mut lines = Vec::new();
    for name in shelf.labellers() {
        let (file, _) = shelf::labeller(&shelf.file(&name, "labeller"))?;
        let document: Document = shelf::json(&shelf.file(&name, "json"))?;
        let seal = match &key {
            Some(key) => shelf::check_seal(&file, key).err(),
            None => Some("there is no key here to check its signature".to_owned()),
        };
        let served = serving.get(&name);
        found |= document.certificates.served().threshold_micro().is_none() || seal.is_some();
        found |= served.is_some_and(|served| served.withdrawn);
        if data.json {
            lines.push(line(&document, seal.as_deref(), served));
        } else {
            print::data(&block(&document, seal.as_deref(), served));
        }
    }
    if data.json {
        print::json(&json!({"schema": "mains.distill.status/1", "labellers": lines}))?;
    } else if shelf.labellers().is_empty() {
        print::say("no labeller is here");
        print::say("hint: `mains distill tasks` shows what could be trained");
    }
    Ok(if found { Ended::Findings } else { Ended::Clean })
}

fn days(document: &Document) -> i64 {
    document.about.at.day().days_until(now().day())
}

fn line(document: &Document, seal: Option<&str>, served: Option<&Serving>) -> Value {
    let certificate = document.certificates.served();
    json!({
        "name": document.about.name, "task": document.about.task, "teacher": document.about.teacher,
        "promise": certificate.terms, "ruling": certificate.ruling, "calibration_rows": certificate.rows,
        "realised": document.report.realised, "savings": document.report.savings,
        "sha256": document.sha256, "trained": document.about.at.to_string(), "days": days(document),
        "seal": seal.map_or(json!("holds"), |why| json!({"wrong": why})),
        "serving": served.map(|served| &served.json),
    })
}

fn block(document: &Document, seal: Option<&str>, served: Option<&Serving>) -> String {
    let certificate = document.certificates.served();
    let mut page = format!("{}\n", print::bold(&document.about.name));
    let mut row = |name: &str, value: &str| page.push_str(&format!("{name:<10}{value}\n"));
    row("task", &format!("{}, {}", document.about.task, document.about.origin));
    row("promise", &promise(certificate));
    row(
        "ruling",
        &match &certificate.ruling {
            Ruling::Certified { .. } => print::good("certified"),
            Ruling::Refused { reason } => {
                let why = reason.to_string();
                print::bad(&format!("refused: {}", why.lines().next().unwrap_or_default()))
            }
        },
    );
    row("rows", &format!("{} to calibrate", print::thousands(certificate.rows)));
    if let Some(audit) = &document.report.realised {
        row(
            "realised",
            &format!(
                "{} answered here, {} of all answers differ, on {} audit rows",
                percent(audit.local.ppm),
                percent(audit.differs_of_all.ppm),
                print::thousands(audit.local.of)
            ),
        );
    }
    let days = u64::try_from(days(document)).unwrap_or(0);
    row("trained", &format!("{} ({} ago)", document.about.at.day(), print::plural(days, "day")));
    if let Some(why) = seal {
        row("signature", &print::bad(why));
    }
    row("serving", served.map_or("not served", |served| served.words.as_str()));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_outlet_says_is_told_and_what_it_does_not_is_unknown() {
        let line = json!({"labeller": "x", "route": "r", "stage": "canary", "share_percent": 10, "answered": 3,
            "in_scope": 40, "calls": 37});
        let served = told(line);
        assert_eq!(
            served.words,
            "`r`: canary, 10 %; 3 of 40 requests in scope answered here; unknown of 37 compared answers differ"
        );
        assert!(told(json!({"withdrawn": "the teacher is another model"})).withdrawn);
    }
}
