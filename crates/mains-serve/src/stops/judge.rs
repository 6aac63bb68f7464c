//! Stop 4: which targets may answer.
//!
//! The only policy set so far is `allow-all`; `live` refuses any other at start. The set of allowed targets is
//! handed to the choice of targets, so a policy that restricts it needs no change below.

use super::{Asked, Judged, Left};
use mains_relay::route::Allowed;

/// Judges the question.
#[expect(clippy::unnecessary_wraps, reason = "a policy refuses here; `allow-all` never does")]
pub(crate) fn judge(asked: Asked) -> Result<Judged, Box<Left>> {
    Ok(Judged { asked, allowed: Allowed::All })
}
