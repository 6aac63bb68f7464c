//! The configuration while it is changed: checked whole before it is written, and then read by the running outlet.

use crate::print::{self, Ended, Trouble};
use crate::settings;
use crate::start;
use crate::verbs::{config, swap::status};
use mains_catalog::Catalog;
use mains_config::{Draft, Settings, changed_lines};
use mains_host::files::{Access, write_atomic};
use mains_serve::control::{Answer, Command, say};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// A configuration and its change.
pub(in crate::verbs) struct File {
    path: PathBuf,
    /// As it was read.
    pub(in crate::verbs) settings: Settings,
    /// What it is to be.
    pub(in crate::verbs) draft: Draft,
}

impl File {
    /// Reads the file that is named, or that `serve` would find.
    pub(in crate::verbs) fn read(config: Option<&Path>) -> Result<Self, Trouble> {
        let loaded = settings::load(config, Vec::new())?;
        let name = loaded.path.display().to_string();
        let draft = Draft::parse(loaded.settings.source().text(), &name)
            .map_err(|errors| Trouble::rendered(errors.to_string()))?;
        Ok(Self { path: loaded.path, settings: loaded.settings, draft })
    }

    /// Shows the lines that change, asks, and writes. A file that would not serve is not written.
    pub(in crate::verbs) fn write(&self, title: &str, yes: bool) -> Result<(), Trouble> {
        let (before, after) = (self.settings.source().text(), self.draft.to_string());
        let shown = self.path.display().to_string();
        if before == after {
            print::say(&format!("{shown} says so already"));
            return Ok(());
        }
        let wrong = |errors: mains_config::Errors| {
            Trouble::rendered(format!(
                "error: the file was not changed, for it would be wrong then\n{errors}"
            ))
        };
        let settings = mains_config::parse(&after, &shown).map_err(wrong)?;
        config::cross_check(&settings, Catalog::builtin()).map_err(wrong)?;
        let lines = changed_lines(before, &after);
        let lines = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
        print::say(title);
        print::data(&format!("{}\n{lines}", print::bold(&shown)));
        agree(yes)?;
        write_atomic(&self.path, after.as_bytes(), Access::Usual)?;
        print::say(&format!("wrote {shown}"));
        Ok(())
    }

    /// Makes the outlet in `data` read the file; first tells it of the test, where there is one, and afterwards says
    /// how the switch of `expected` (route and report) stands there.
    pub(in crate::verbs) fn tell(
        &self,
        data: &Path,
        test: Option<&Command>,
        expected: Option<(&str, &str)>,
    ) -> Result<Ended, Trouble> {
        let runtime = start::runtime()?;
        let tested = test.map(|test| runtime.block_on(say(data, test)));
        match runtime.block_on(say(data, &Command::Reload)) {
            Err(_) => {
                print::say(&format!(
                    "no outlet answers in `{}`: the change holds from its next start",
                    data.display()
                ));
                if test.is_some() {
                    print::say(
                        "run this again while it runs: it then knows the test, against which cost and length are compared",
                    );
                }
                return Ok(Ended::Clean);
            }
            Ok(Answer::Refused(why)) => {
                print::say("the outlet goes on with its old settings");
                return Err(Trouble::rendered(why));
            }
            Ok(_) => print::say("the outlet read its configuration again"),
        }
        if let Some(Ok(Answer::Refused(why))) = tested {
            print::say(&format!(
                "the outlet did not take the report, so cost and length are not compared: {why}"
            ));
        }
        let Some((route, report)) = expected else { return Ok(Ended::Clean) };
        match runtime.block_on(say(data, &Command::Swaps)) {
            Ok(Answer::Swaps(lines)) => {
                match lines.iter().find(|line| line.route == route && line.report == report) {
                    Some(line) => print::data(&status::block(line)),
                    None => {
                        return Err(Trouble::new(format!(
                            "the outlet in `{}` is not in this switch",
                            data.display()
                        ))
                        .hint(format!(
                            "it was started with another file than {}; `--config` names that one",
                            self.path.display()
                        )));
                    }
                }
            }
            Ok(Answer::Refused(why)) | Err(why) => return Err(Trouble::rendered(why)),
            Ok(_) => {}
        }
        Ok(Ended::Clean)
    }
}

/// Asks before the file is written.
fn agree(yes: bool) -> Result<(), Trouble> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Trouble::new("nobody is here to agree to the change").hint("`--yes` agrees beforehand"));
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "Write it? [y/N] ")?;
    stderr.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim().eq_ignore_ascii_case("y") {
        return Ok(());
    }
    Err(Trouble::new("the file was left as it is"))
}
