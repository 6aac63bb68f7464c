//! `mains config reload`: the running outlet reads its file again.

use crate::cli::Data;
use crate::print::{self, Ended, Trouble};
use crate::start;
use mains_serve::control::{Answer, Command, say};

/// Asks the outlet in a data folder to reload; a bad file changes nothing.
pub(crate) fn run(data: &Data) -> Result<Ended, Trouble> {
    let answer = start::runtime()?.block_on(say(&data.data, &Command::Reload)).map_err(Trouble::rendered)?;
    if let Answer::Refused(why) = answer {
        Err(Trouble::rendered(why))
    } else {
        print::say("the configuration was read again");
        Ok(Ended::Clean)
    }
}
