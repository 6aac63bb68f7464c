//! How anything reaches the terminal: data on stdout, words on stderr, colour only where it is wanted.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing to report: exit code 0.
    Clean,
    /// Something was found: exit code 1.
    Findings,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Clean => Self::SUCCESS,
            Ended::Findings => Self::from(1),
        }
    }
}

/// What went wrong, where, and how to mend it: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    message: String,
    hint: Option<String>,
    rendered: bool,
}

impl Trouble {
    /// Trouble in one sentence.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, rendered: false }
    }

    /// Trouble whose text is complete as it is: every `error:` and `hint:` begins its own line.
    pub(crate) fn rendered(text: impl Into<String>) -> Self {
        Self { message: text.into(), hint: None, rendered: true }
    }

    /// The same with a way to mend it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl<E: std::error::Error> From<E> for Trouble {
    /// The chain of errors read as one sentence.
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        match message.split_once("hint: ") {
            Some((what, hint)) => Self::new(what.trim_end_matches([' ', ';', '\n'])).hint(hint.trim()),
            None => Self::new(message),
        }
    }
}

/// The system's text begins with a capital and ends with its number; ours do not.
pub(crate) fn lowered(error: &std::io::Error) -> String {
    let text = error.to_string();
    let mut chars = text.split(" (os error").next().unwrap_or_default().chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Sets the choice of colour for everything that is printed after.
pub(crate) fn set_color(color: Color) {
    let choice = match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether colour reaches stdout.
pub(crate) fn stdout_has_color() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// Data, to stdout, as it is. A reader that left is no trouble.
pub(crate) fn data(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    if !text.ends_with('\n') && !text.is_empty() {
        let _ = stdout.write_all(b"\n");
    }
    let _ = stdout.flush();
}

/// One JSON document, to stdout.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Trouble> {
    data(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Words for a person, to stderr.
pub(crate) fn say(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// Trouble, to stderr.
pub(crate) fn trouble(trouble: &Trouble) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
    if trouble.rendered {
        for line in trouble.message.lines() {
            say(&match (line.strip_prefix("error:"), line.strip_prefix("hint:")) {
                (Some(rest), _) => format!("{red}error:{red:#}{rest}"),
                (_, Some(rest)) => format!("{cyan}hint:{cyan:#}{rest}"),
                _ => line.to_owned(),
            });
        }
        return;
    }
    say(&format!("{red}error:{red:#} {}", trouble.message));
    if let Some(hint) = &trouble.hint {
        say(&format!("{cyan}hint:{cyan:#} {hint}"));
    }
}

/// Whether a person watches stderr, so that progress may be drawn.
pub(crate) fn watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of the terminal; 100 in a pipe.
pub(crate) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    columns.unwrap_or(100).clamp(40, 200)
}
