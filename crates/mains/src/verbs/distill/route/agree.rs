//! `mains distill route --agree`: two cheap models first, on recorded answers.

use super::sheet::Sheet;
use crate::cli::DistillRoute;
use crate::print::{self, Ended, Trouble};
use mains_distill::certificate::Share;
use mains_distill::routing::Figure;
use mains_distill::routing::agree::{Answered, Report, report};
use mains_swap::grade::{Said, agree};
use std::fmt::Write as _;

/// How often the bootstrap draws.
const RESAMPLES: u32 = 2_000;

pub(super) fn run(arguments: &DistillRoute, sheet: &Sheet) -> Result<Ended, Trouble> {
    let ([first, second], Some(big)) = (arguments.agree.as_slice(), &arguments.big) else {
        let found = arguments.agree.len();
        return Err(Trouble::new(format!("`--agree` names {found} columns"))
            .hint("name the columns of two cheap models, with a comma between"));
    };
    let said = |name: &str| -> Result<Vec<Said>, Trouble> {
        Ok(sheet.column(name)?.into_iter().map(Said::text).collect())
    };
    let (one, two, three) = (said(first)?, said(second)?, said(big)?);
    let truth = arguments.truth.as_deref().map(said).transpose()?;
    let costs: Option<[Vec<f64>; 3]> = sheet.costs(&arguments.costs)?;
    let answered = |row: usize| Answered {
        agree: agree(&one[row], &two[row]),
        as_big: agree(&three[row], &one[row]),
        right: truth.as_ref().map(|truth| [agree(&truth[row], &one[row]), agree(&truth[row], &three[row])]),
        costs: costs.as_ref().map(|[a, b, c]| [a[row], b[row], c[row]]),
    };
    let rows: Vec<Answered> = (0..one.len()).map(answered).collect();
    let report = report(&rows, arguments.seed, RESAMPLES);
    if arguments.json {
        print::json(&report)?;
    } else {
        print::data(&page(&report, [first, second, big]));
    }
    Ok(Ended::Clean)
}

fn page(report: &Report, [first, second, big]: [&str; 3]) -> String {
    let mut page =
        format!("{} rows: {first} and {second} where they agree, else {big}\n\n", report.agreed.of);
    let mut line = |name: &str, text: String| {
        let _ = writeln!(page, "{name:44}{text}");
    };
    line("both cheap ones agree", share(&report.agreed));
    line("  of those, as the big one says", share(&report.as_big_when_agreed));
    line("all answers, as the big one says", share(&report.as_big));
    line("  the first cheap one alone", share(&report.as_big_first_alone));
    if let Some(right) = &report.right {
        line("right answers", share(&right.rule));
        line("  the big one alone", share(&right.big));
        line("  the first cheap one alone", share(&right.first));
        line("  more than the big one alone", figure(right.beyond_big));
    }
    let unknown = || "unknown: name the costs' columns with --costs".to_owned();
    line("saved of the big one's cost", report.saved.map_or_else(unknown, figure));
    line("  the first cheap one alone", report.saved_first_alone.map_or_else(unknown, figure));
    page.push_str("\nin brackets: 95 %, exact for shares of answers, of bootstrap draws for the rest\n");
    page
}

fn share(share: &Share) -> String {
    if share.of == 0 {
        return "unknown: of no row".to_owned();
    }
    let percent = |ppm: u64| ppm as f64 / 1e4;
    format!("{:.1} % [{:.1}, {:.1}]", percent(share.ppm), percent(share.low_ppm), percent(share.high_ppm))
}

fn figure(figure: Figure) -> String {
    let percent = |ppm: i64| ppm as f64 / 1e4;
    format!("{:.1} % [{:.1}, {:.1}]", percent(figure.ppm), percent(figure.low_ppm), percent(figure.high_ppm))
}
