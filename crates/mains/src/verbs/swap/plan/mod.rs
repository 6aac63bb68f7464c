use crate::cli::SwapPlan;
use crate::print::{Ended, Trouble};
pub(super) fn run(arguments: &SwapPlan) -> Result<Ended, Trouble> {
    let g = super::requests::gather(&arguments.requests, &arguments.data)?;
    let _ = (g.form.name(), g.without_answer.each().count());
    Ok(Ended::Clean)
}
