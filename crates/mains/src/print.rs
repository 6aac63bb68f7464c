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

    /// The whole text, for a log.
    pub(crate) fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}\nhint: {hint}", self.message),
            None => self.message.clone(),
        }
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
        let mut lines = trouble.message.lines();
        // What a room below says of itself has no such beginning.
        if !trouble.message.contains("error:") {
            say(&format!("{red}error:{red:#} {}", lines.next().unwrap_or_default()));
        }
        for line in lines {
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

/// More of a text that is still being made, to stdout at once. `false` when nobody reads any more.
pub(crate) fn piece(text: &str) -> bool {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_ok()
}

/// Does `work`; when it takes longer than a second and a person watches, shows beside it what `message`
/// says.
pub(crate) fn while_watched<T>(message: impl Fn() -> String + Sync, work: impl FnOnce() -> T) -> T {
    if !watched() {
        return work();
    }
    let (done, ended) = std::sync::mpsc::sync_channel::<()>(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let ended = ended;
            let mut wait = std::time::Duration::from_secs(1);
            let mut spinner: Option<indicatif::ProgressBar> = None;
            // The work is over when its end of the channel is dropped.
            while ended.recv_timeout(wait) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                wait = std::time::Duration::from_millis(100);
                let spinner = spinner.get_or_insert_with(indicatif::ProgressBar::new_spinner);
                spinner.set_message(message());
                spinner.tick();
            }
            if let Some(spinner) = spinner {
                spinner.finish_and_clear();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// A table without rules: a head in bold, columns parted by two spaces, as wide as the terminal at most.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width()).unwrap_or(u16::MAX));
    table.force_no_tty();
    if !head.is_empty() {
        table.set_header(head);
    }
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // What the first column names is typed elsewhere, so it stays in one piece.
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
    }
    let text = table.to_string();
    let mut lines = text.lines().map(str::trim_end);
    let mut page = String::new();
    if !head.is_empty()
        && let Some(first) = lines.next()
    {
        page.push_str(&bold(first));
        page.push('\n');
    }
    for line in lines {
        page.push_str(line);
        page.push('\n');
    }
    page
}

/// Bold on a terminal that wants it; the stream takes the code away elsewhere.
pub(crate) fn bold(text: &str) -> String {
    let style = anstyle::Style::new().bold();
    format!("{style}{text}{style:#}")
}

/// Green, for what holds; the words must say it too.
pub(crate) fn good(text: &str) -> String {
    let style = anstyle::AnsiColor::Green.on_default();
    format!("{style}{text}{style:#}")
}

/// Red, for what does not; the words must say it too.
pub(crate) fn bad(text: &str) -> String {
    let style = anstyle::AnsiColor::Red.on_default();
    format!("{style}{text}{style:#}")
}

/// Dim, for what stands beside.
pub(crate) fn dim(text: &str) -> String {
    let style = anstyle::Style::new().dimmed();
    format!("{style}{text}{style:#}")
}

/// Three significant digits, for figures that are not known better.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if (1e-6..1e9).contains(&rounded.abs()) { rounded.to_string() } else { format!("{rounded:e}") }
}

/// `1 file`, `3 files`.
pub(crate) fn plural(count: u64, word: &str) -> String {
    format!("{} {word}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// `98,362,432`.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(98_362_432), "98,362,432");
        assert_eq!(thousands(100), "100");
        assert_eq!(plural(1, "file"), "1 file");
        assert_eq!(short(1234.56), "1230");
        assert_eq!(short(0.000_123_456), "0.000123");
        assert_eq!(short(0.0), "0");
    }

    #[test]
    fn a_hint_inside_an_error_gets_its_own_line() {
        let trouble = Trouble::from(std::io::Error::other("it broke\nhint: mend it"));
        assert_eq!(trouble, Trouble::new("it broke").hint("mend it"));
    }
}
