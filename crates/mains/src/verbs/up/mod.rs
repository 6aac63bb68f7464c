//! `mains up`: scan, plan and serve in one, for a newcomer's first minute.
//!
//! `application` is the bundled example, `plan` writes the plan and points what has no key at a stand-in, `tour` sends
//! a handful of requests and shows what happened, `standin` answers for absent providers.

mod application;
mod plan;
pub(crate) mod standin;
mod tour;

use crate::cli::{StandIn, Up};
use crate::print::{self, Ended, Trouble};
use crate::start::{self, Start};
use mains_catalog::Catalog;
use mains_host::Clock;
use mains_scan::report::{Report, Style};
use mains_units::{Day, Instant};
use std::sync::Arc;
use tokio::sync::watch;
use tour::Tour;

/// How many days ahead a death counts, as in `mains scan`.
const HORIZON_DAYS: i64 = 90;

/// Places shown per model; `mains scan` shows more.
const PLACES: usize = 2;

/// Everything at once.
pub(crate) fn run(arguments: &Up) -> Result<Ended, Trouble> {
    let clock = Clock::start();
    let begun = clock.monotonic();
    start::log("warn");
    let as_of = super::as_of(arguments.as_of.as_deref())?;
    let catalog = Catalog::builtin();
    print::data(&print::bold("1  What this code asks of AI"));
    let report = match &arguments.path {
        Some(path) => super::scan::scan(path, as_of, HORIZON_DAYS, catalog)?,
        None => application::scan(as_of, HORIZON_DAYS, catalog),
    };
    if arguments.path.is_none() {
        print::data(&print::dim(
            "   no path was given, so this is the bundled example: a small shop's assistant\n",
        ));
    }
    print::data(&report.to_text(&Style {
        colour: print::stdout_has_color(),
        width: print::width(),
        places: PLACES,
    }));
    let plan = plan::write(&report, catalog, &arguments.data)?;
    if plan.models.is_empty() {
        print::say("nothing to serve: this code asks for no model that the outlet could route");
        return Ok(Ended::Clean);
    }
    start::runtime()?.block_on(serve(arguments, &report, &plan, as_of, (clock, begun)))
}

async fn serve(
    arguments: &Up,
    report: &Report,
    plan: &plan::Plan,
    as_of: Day,
    (clock, begun): (Clock, Instant),
) -> Result<Ended, Trouble> {
    let signals = start::Signals::listen()?;
    let (stop, stopped) = watch::channel(false);
    let mut stand_ins = Vec::new();
    for absent in &plan.absent {
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let address = standin::start(&absent.provider, listen, as_of, stopped.clone()).await?;
        stand_ins.push((absent.clone(), address));
    }
    let data = std::path::absolute(&arguments.data)?;
    let flags = vec![
        ("serve.listen".to_owned(), arguments.listen.to_string()),
        ("serve.data".to_owned(), data.display().to_string()),
    ];
    let settings = plan::settings(&plan.path, &stand_ins, &flags)?;
    let reread = {
        let (path, stand_ins) = (plan.path.clone(), stand_ins.clone());
        move || plan::settings(&path, &stand_ins, &flags).map_err(|trouble| trouble.text())
    };
    let started = start::start(
        Start {
            settings,
            base: data.clone(),
            stand_ins: stand_ins.iter().map(|(absent, _)| absent.upstream.clone()).collect(),
            as_of: arguments.as_of.is_some().then_some(as_of),
            reread: Arc::new(reread),
        },
        stopped,
    )
    .await?;
    let base = format!("http://{}", started.address);
    show_plan(plan, &stand_ins);
    print::data(&format!(
        "   {} {}   {}",
        print::bold("the page:"),
        print::good(&format!("{base}/")),
        print::dim(&format!("{:.1} s after the start", clock.monotonic().since(begun).as_s_f64()))
    ));
    if !arguments.no_open && !arguments.once {
        open_page(&base);
    }
    let tour = Tour { base: &base, report, plan, outlet: &started.outlet, data: &data };
    tour.show().await?;
    if !arguments.once {
        print::data(&tour.ready_lines(&arguments.data));
        print::say(&format!("ready at {base}/; stop it with Ctrl-C"));
        signals.until_told(Some(&started.folder)).await;
        print::say("draining: no new connections, open ones may end; a second signal ends at once");
    }
    let _ = stop.send(true);
    started.task.await?.map_err(Trouble::rendered)?;
    Ok(Ended::Clean)
}

fn show_plan(plan: &plan::Plan, stand_ins: &[(plan::Absent, std::net::SocketAddr)]) {
    print::data(&format!("\n{}", print::bold("2  The plan, served")));
    print::data(&format!(
        "   {}: {} to {}",
        plan.path.display(),
        print::plural(plan.models.len() as u64, "route"),
        print::plural(plan.upstreams as u64, "upstream")
    ));
    for (absent, address) in stand_ins {
        let why = match &absent.variable {
            Some(variable) => format!("{variable} is not set"),
            None => format!("no key for {} is known", absent.provider),
        };
        print::data(&format!("   {why}: a scripted stand-in at {address} answers for {}", absent.upstream));
        tracing::info!(upstream = %absent.upstream, "a scripted stand-in answers, not the provider");
    }
    if !stand_ins.is_empty() {
        print::data(&print::dim(
            "   what a stand-in answers is marked in its headers, in its record and leaf, and on the page",
        ));
    }
}

/// Opens the page where a person sits at a display.
fn open_page(base: &str) {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if display && print::watched() {
        let quiet = std::process::Stdio::null;
        let _ = std::process::Command::new("xdg-open").arg(base).stdout(quiet()).stderr(quiet()).spawn();
    }
}

/// `mains stand-in`: one stand-in alone, for tests and demonstrations.
pub(crate) fn stand_in(arguments: &StandIn) -> Result<Ended, Trouble> {
    let as_of = super::as_of(arguments.as_of.as_deref())?;
    start::runtime()?.block_on(async {
        let signals = start::Signals::listen()?;
        let (stop, stopped) = watch::channel(false);
        let address = standin::start(&arguments.provider, arguments.listen, as_of, stopped).await?;
        print::data(&format!("a scripted stand-in for {} listens at http://{address}", arguments.provider));
        signals.until_told(None).await;
        let _ = stop.send(true);
        Ok(Ended::Clean)
    })
}
