//! `mains distill route`: is a router worth switching on; is it worth asking two cheap models first?

mod agree;
mod sheet;

use self::sheet::Sheet;
use crate::cli::DistillRoute;
use crate::print::{self, Ended, Trouble};
use crate::verbs::{model, swap};
use mains_distill::heads::dense::Embeddings;
use mains_distill::routing::{Figure, Line, Part, Report, Row, Ruling, Settings, Table, Trial};
use mains_infer::encoder::EncoderSource;
use mains_infer::{Embedder, models};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The encoder whose embeddings a router may learn from.
const ENCODER: &str = "all-minilm-l6-v2";
/// Columns of what both answers of a test cost: the weak model's, the strong one's.
const COSTS: [&str; 2] = ["weak_cost", "strong_cost"];
/// Texts that are embedded together.
const BATCH: usize = 32;

pub(crate) fn run(arguments: &DistillRoute) -> Result<Ended, Trouble> {
    let sheet = if arguments.file.is_dir() { tested(arguments)? } else { Sheet::read(&arguments.file)? };
    if !arguments.agree.is_empty() {
        return agree::run(arguments, &sheet);
    }
    let texts = sheet.column(&arguments.text)?;
    let quality = |name: &str| -> Result<Vec<f64>, Trouble> { sheet.numbers(name) };
    let (weak, strong) = (quality(&arguments.weak)?, quality(&arguments.strong)?);
    let own = COSTS.map(str::to_owned);
    let named = if arguments.costs.is_empty() && arguments.file.is_dir() && sheet.has(COSTS[0]) {
        &own[..]
    } else {
        &arguments.costs
    };
    let costs: Option<[Vec<f64>; 2]> = sheet.costs(named)?;
    let groups = match &arguments.group {
        Some(name) => Some(sheet.column(name)?),
        None => sheet.column("group").ok(),
    };
    let rows: Vec<Row<'_>> = (0..texts.len())
        .map(|row| Row {
            text: texts[row],
            weak: weak[row],
            strong: strong[row],
            costs: costs.as_ref().map(|costs| [costs[0][row], costs[1][row]]),
            group: groups.as_ref().map(|groups| groups[row]).filter(|group| !group.is_empty()),
        })
        .collect();
    let embedded = if arguments.embeddings { Some(embed(&texts)?) } else { None };
    let embeddings = embedded.as_ref().map(|(values, dim)| Embeddings { values, dim: *dim });
    let settings = Settings { seed: arguments.seed, ..Settings::default() };
    let trial = Trial::new(&rows, embeddings, settings).map_err(|why| {
        Trouble::new(format!("`{}`: {why}", arguments.file.display()))
            .hint("every row needs a text and the quality of both answers, between 0 and 1")
    })?;
    let report = trial.report(&solved(&trial));
    if arguments.json {
        print::json(&report)?;
    } else {
        print::data(&page(&report));
    }
    Ok(match report.ruling {
        Ruling::Enabled { .. } => Ended::Clean,
        Ruling::Refused { .. } => Ended::Findings,
    })
}

/// The verdicts of a test by `mains swap test`, in the columns that are read where none is named.
fn tested(arguments: &DistillRoute) -> Result<Sheet, Trouble> {
    let scores = swap::scored::read(&arguments.file, &arguments.asked, &arguments.data)?;
    print::say(&format!("{} requests of a test, graded by: {}", scores.rows.len(), scores.grader));
    if scores.judged_alone > 0 {
        print::say(&format!(
            "{} of them a judge model alone graded; what a router recovers is measured by what that judge likes",
            scores.judged_alone
        ));
    }
    let priced = scores.rows.iter().all(|row| row.nano_usd.is_some());
    if !priced {
        print::say("what both answers cost is not known of every request, so nothing is said of money");
    }
    let mut names = vec!["text", "weak", "strong"];
    if priced {
        names.extend(COSTS);
    }
    let cells = scores.rows.into_iter().map(|row| {
        let costs = row.nano_usd.filter(|_| priced).map(|both| both.map(|nano| nano.to_string()));
        let [weak, strong] = row.quality.map(|quality| quality.to_string());
        [row.text, weak, strong].into_iter().chain(costs.into_iter().flatten()).collect()
    });
    Sheet::of(arguments.file.display().to_string(), &names, cells.collect())
}

/// All pieces of the trial, on all processors. Who does which makes no difference.
fn solved(trial: &Trial<'_>) -> Vec<Part> {
    let (next, all) = (AtomicUsize::new(0), trial.pieces());
    let some = || {
        let mut parts = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= all {
                return parts;
            }
            parts.extend(trial.solve(piece));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(all.max(1));
    let message = || format!("piece {} of {all}", next.load(Ordering::Relaxed).min(all));
    print::while_watched(message, || {
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
            let mut parts = some();
            for other in others {
                match other.join() {
                    Ok(more) => parts.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            parts
        })
    })
}

/// An embedding of every text, one after the other, and how long each is.
fn embed(texts: &[&str]) -> Result<(Vec<f32>, usize), Trouble> {
    let pull = format!("`mains model pull {ENCODER}` fetches it");
    let source = models::find(ENCODER).and_then(|known| EncoderSource::known(known, &model::folder().ok()?));
    let source =
        source.ok_or_else(|| Trouble::new(format!("no encoder `{ENCODER}` is known")).hint(&pull))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let embedder =
        Embedder::load(&source, threads).map_err(|error| Trouble::new(error.to_string()).hint(&pull))?;
    let bar = print::watched().then(|| indicatif::ProgressBar::new(texts.len() as u64));
    let (mut values, mut dim) = (Vec::new(), 0);
    for batch in texts.chunks(BATCH) {
        for vector in embedder.embed(batch)? {
            dim = vector.len();
            values.extend(vector);
        }
        if let Some(bar) = &bar {
            bar.inc(batch.len() as u64);
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok((values, dim))
}

fn page(report: &Report) -> String {
    let mut page = format!(
        "{} rows; the weak model alone {}, the strong one alone {}\n",
        report.rows,
        share(report.weak_ppm),
        share(report.strong_ppm)
    );
    table(&mut page, "rows like those that taught (no near duplicate among them)", &report.seen);
    match &report.unseen {
        Some(unseen) => table(&mut page, &format!("groups that did not teach ({})", unseen.units), unseen),
        None => {
            let _ = writeln!(
                page,
                "\ngroups that did not teach: not tried; {} groups are named, {} are needed",
                report.groups,
                Report::GROUPS_MIN
            );
        }
    }
    page.push_str(
        "\nAPGR: how much of the gap between both models is recovered, on average over all shares of calls to the strong\n\
         one. CPT50, CPT80: the least share of calls that recovers half and 80 % of it (Ong et al., arXiv 2406.18665).\n\
         beyond: APGR less that of chance or of length, whichever is more. In brackets: 95 % of paired bootstrap draws.\n",
    );
    let _ = writeln!(page, "\n{}", ruling(report));
    page
}

fn table(page: &mut String, name: &str, table: &Table) {
    let _ = writeln!(page, "\n{name}");
    if table.lines.is_empty() {
        page.push_str("the strong model is not shown to be better: there is nothing to recover\n");
        return;
    }
    let saved = table.lines.iter().any(|line| line.saved_80.is_some());
    let head = if saved { "saved at CPT80" } else { "" };
    let line = format!("{:24}{:22}{:22}{:22}{:24}{head}", "", "APGR", "CPT50", "CPT80", "beyond");
    let _ = writeln!(page, "{}", line.trim_end());
    for line in &table.lines {
        let _ = writeln!(page, "{}", row(line).trim_end());
    }
}

fn row(line: &Line) -> String {
    let or = |figure: Option<Figure>| figure.map(interval).unwrap_or_default();
    format!(
        "{:24}{:22}{:22}{:22}{:24}{}",
        line.router,
        interval(line.apgr),
        interval(line.calls_50),
        interval(line.calls_80),
        or(line.beyond),
        or(line.saved_80)
    )
}

fn ruling(report: &Report) -> String {
    match report.ruling {
        Ruling::Enabled { router, unseen: Some(true) } => {
            format!("may be switched on: {router}, also for groups that did not teach")
        }
        Ruling::Enabled { router, unseen: Some(false) } => format!(
            "may be switched on: {router}, for groups that taught it; refused for others, where its interval meets chance or \
             length"
        ),
        Ruling::Enabled { router, unseen: None } => {
            format!(
                "may be switched on: {router}; whether it holds for groups that did not teach was not tried"
            )
        }
        Ruling::Refused { why } => format!("refused: {why}"),
    }
}

/// `.641 [.613, .672]`.
fn interval(figure: Figure) -> String {
    format!("{} [{}, {}]", share(figure.ppm), share(figure.low_ppm), share(figure.high_ppm))
}

fn share(ppm: i64) -> String {
    format!("{:.3}", ppm as f64 / 1e6)
}
