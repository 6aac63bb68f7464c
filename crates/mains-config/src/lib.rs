//! `mains.toml`: text in, typed settings with spans out, and back with comments kept.
//!
//! Read `settings` (what can be set), then `value` and `words` (one value, what it can say and where it came from), `reader` (how a
//! value is looked up through the layers), `sections` and `entries` (one function a table), `swap` (a switch of targets), `label` (a labeller before its teacher), `problem`
//! (what a wrong file looks like to its writer), and `draft` (the way back into the text).
//!
//! Never: a file, an environment variable, a clock. The caller hands in the text and the variables, and
//! resolves what `env:` and `file:` point to.

mod agree;
mod draft;
mod entries;
mod label;
mod problem;
mod reader;
mod sections;
mod settings;
mod swap;
mod value;
mod words;

pub use draft::{ChangedLine, Draft, NewSwap, NewUpstream, changed_lines};
pub use label::{AUDIT_PERCENT, RouteLabel, SHARE_PERCENT};
pub use problem::{Errors, Place, Problem, Source, SourceSpan, closest};
pub use reader::Layers;
pub use settings::{
    Budget, Cap, Deadlines, Ledger, Limits, Policy, Price, Record, RecordProject, Retention, Route, Serve,
    Settings, Shown, Upstream, WeightedTarget,
};
pub use swap::{Swap, parse_lasting};
pub use value::{Origin, Setting};
pub use words::{
    BudgetStatus, Content, Criticality, Degraded, Durability, KeyRef, LabelStage, Proxy, Scope, Target,
    Unknown, Window,
};

/// Reads a whole `mains.toml`, with defaults for what it does not say.
///
/// `file_name` is only for messages. On failure all problems found are returned, in the order of the file.
pub fn parse(text: &str, file_name: &str) -> Result<Settings, Errors> {
    parse_layered(text, file_name, &Layers::default())
}

/// Like [`parse`], with flags and environment variables above the file.
///
/// Every scalar of `[serve]`, `[record]`, `[policy]`, `[ledger]`, `[retention]` and `[limits]` can be set
/// this way: `serve.listen` by the flag of that path or by the variable `MAINS_SERVE_LISTEN`. A variable
/// that begins with `MAINS_` and one of these sections but names no setting is a problem, so that a
/// misspelling cannot be overlooked.
pub fn parse_layered(text: &str, file_name: &str, layers: &Layers) -> Result<Settings, Errors> {
    let source = Source::new(file_name, text);
    let (root, syntax) = toml::de::DeTable::parse_recoverable(text);
    let mut problems = syntax_problems(&source, &syntax);
    let settings = if problems.is_empty() {
        let mut reader = reader::Reader::new(layers, &source);
        let settings = sections::settings(&mut reader, root.get_ref());
        problems = reader.finish();
        Some(settings)
    } else {
        // What stands in a broken file is a guess; complaints about guesses would hide the real one.
        None
    };
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings.with_source(source)),
        _ => Err(Errors::new(source, problems)),
    }
}

/// One problem a line: what the parser says after its first stumble on a line is mostly an echo.
fn syntax_problems(source: &Source, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut lines = std::collections::BTreeSet::new();
    for error in errors {
        let line = error.span().map(|span| source.line_and_column(span.start).0);
        if lines.insert(line) {
            problems.push(Problem::syntax(error.message(), error.span()));
        }
    }
    problems
}
