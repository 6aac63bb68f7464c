//! Whether a provider allows training on its answers is for the user to know; here it is asked and recorded.

use crate::print::{self, Trouble};
use mains_distill::labeller::Origin;
use mains_ledger::Hash;
use std::io::{BufRead, IsTerminal, Write};

/// What the user states. Its hash stands in the labeller's lineage.
const STATED: &str =
    "the user states to have read the terms of the teacher's provider, and that they allow this training";

/// The lineage's entry.
pub(super) fn origin() -> Origin {
    Origin { name: "terms of the provider".into(), sha256: Hash::of_bytes(STATED.as_bytes()).0 }
}

/// Has the user agree, by a flag or here; what was stated.
pub(super) fn ask(flag: bool, teacher: &str) -> Result<String, Trouble> {
    if flag {
        return Ok(STATED.to_owned());
    }
    print::say(&format!(
        "The terms of the provider of {teacher} may forbid training a model on its answers; some forbid it for models that compete with theirs."
    ));
    let refused = || {
        Trouble::new("nobody has stated that the provider's terms allow this training")
            .hint("read them, then `--terms-allow`; the labeller records that you said so")
    };
    if !std::io::stdin().is_terminal() {
        return Err(refused());
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "Have you read them, and do they allow it? [y/N] ")?;
    stderr.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim().eq_ignore_ascii_case("y") { Ok(STATED.to_owned()) } else { Err(refused()) }
}
