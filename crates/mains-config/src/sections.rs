//! The tables that stand once: `[serve]`, `[record]`, `[policy]`, `[ledger]`, `[retention]`, `[limits]`.

use crate::entries;
use crate::problem::{Problem, Source};
use crate::reader::{Reader, Section};
use crate::settings::{Deadlines, Ledger, Limits, Policy, Record, RecordProject, Retention, Serve, Settings};
use crate::value::{Complaint, Setting};
use crate::words::{BudgetStatus, Content, Durability};
use mains_units::Span;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use toml::de::DeTable;

/// The port of the outlet, after the voltage of the socket on the wall.
const PORT: u16 = 2300;

/// A hundred years: beyond this a number of days is a slip.
const DAYS_MAX: u64 = 36_500;

/// For how long content is kept where nobody says it.
const RETENTION_DAYS: u64 = 30;

/// Reads all tables; problems are collected in the reader.
pub(crate) fn settings<'a>(reader: &mut Reader<'a>, table: &'a DeTable<'a>) -> Settings {
    let mut root = Section::root(reader, table);
    let serve = serve(&mut root.table("serve", true));
    let upstreams = root.tables("upstream", entries::upstream);
    let routes = root.tables("route", entries::route);
    let budgets = root.tables("budget", entries::budget);
    let record = record(&mut root.table("record", true), &serve.data);
    let policy = policy(&mut root.table("policy", true));
    let ledger = ledger(&mut root.table("ledger", true));
    let retention = retention(&mut root.table("retention", true));
    let limits = limits(&mut root.table("limits", true));
    root.finish();
    entries::check_together(reader, &upstreams, &routes, &budgets);
    entries::check_record(reader, &record);
    let shown = reader.take_shown();
    let source = Source::new("", "");
    Settings { serve, upstreams, routes, budgets, record, policy, ledger, retention, limits, shown, source }
}

fn serve(section: &mut Section<'_, '_>) -> Serve {
    let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);
    let serve = Serve {
        listen: section.value_or("listen", loopback),
        data: section.value_or("data", ".mains".to_owned()),
        passthrough: section.value_or("passthrough", false),
        admin_listen: section.value("admin_listen"),
        max_body_bytes: section.count_or("max_body_bytes", 32 << 20, 1024..=1 << 30),
        drain: section.value_or("drain_s", Span::from_s(30)),
        deadlines: serve_deadlines(&mut section.table("deadlines", true)),
        budget_status: section.value_or("budget_status", BudgetStatus::PaymentRequired),
        allowed_hosts: section.value_or("allowed_hosts", Vec::new()),
    };
    section.finish();
    serve
}

/// A deadline of nothing would fail every request.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "every check takes its value by reference")]
pub(crate) fn some_time(span: &Span) -> Result<(), Complaint> {
    if *span > Span::from_ms(0) { Ok(()) } else { Err(Complaint::new("expected more than 0 seconds")) }
}

fn serve_deadlines(section: &mut Section<'_, '_>) -> Deadlines<Setting<Span>> {
    let deadlines = Deadlines {
        connect: section.checked_or("connect_s", Span::from_s(10), some_time),
        first_content: section.checked_or("first_content_s", Span::from_s(120), some_time),
        idle: section.checked_or("idle_s", Span::from_s(60), some_time),
        total: section.checked_or("total_s", Span::from_s(600), some_time),
    };
    section.finish();
    deadlines
}

fn record(section: &mut Section<'_, '_>, data: &Setting<String>) -> Record {
    let record = Record {
        content: section.value_or("content", Content::None),
        retention_days: section.checked_or("retention_days", RETENTION_DAYS, |days| days_in_range(*days)),
        max_body_bytes: section.count_or("max_body_bytes", 1 << 20, 1024..=16 << 20),
        key_file: section.checked("key_file", |path: &String| check_key_file(path, &data.value)),
        projects: section.tables("project", record_project),
    };
    section.finish();
    record
}

/// The whole check follows links, which only the caller can; this one finds the slip where it was made.
fn check_key_file(path: &str, data: &str) -> Result<(), Complaint> {
    if path.is_empty() || path.chars().any(char::is_control) {
        return Err(Complaint::new("this is not the path of a file"));
    }
    let (file, data) = (without_dots(path), without_dots(data));
    // Every path begins with an empty one.
    let inside = if data.as_os_str().is_empty() {
        file.is_relative() && !file.starts_with("..")
    } else {
        file.starts_with(data)
    };
    if inside {
        let complaint = Complaint::new("the key lies inside the data folder that it is to protect");
        return Err(
            complaint.hint("name a file elsewhere, or leave the line out for one in your state folder")
        );
    }
    Ok(())
}

/// The path with `.` and what `..` takes back left out, as far as the text tells.
fn without_dots(path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

fn record_project(section: &mut Section<'_, '_>) -> Option<RecordProject> {
    let name = section.required("name", |name: &String| {
        let plain = !name.is_empty() && !name.chars().any(char::is_control);
        if plain { Ok(()) } else { Err(Complaint::new("this is not the name of a project")) }
    });
    let content = section.value("content");
    let retention_days = section.checked("retention_days", |days: &u64| days_in_range(*days));
    let silent = !section.has("content") && !section.has("retention_days");
    if silent {
        let problem = Problem::at(section.span(), "this project has nothing otherwise than `[record]`");
        section
            .reader
            .report(problem.hint("write `content = \"keep\"`, `content = \"none\"` or `retention_days`"));
    }
    Some(RecordProject { name: name?, content, retention_days })
}

fn days_in_range(days: u64) -> Result<(), Complaint> {
    if (1..=DAYS_MAX).contains(&days) {
        return Ok(());
    }
    Err(Complaint::new(format!("{days} is not between 1 and {DAYS_MAX}")))
}

fn policy(section: &mut Section<'_, '_>) -> Policy {
    let policy = Policy { set: section.value_or("set", "allow-all".to_owned()) };
    section.finish();
    policy
}

fn ledger(section: &mut Section<'_, '_>) -> Ledger {
    let ledger = Ledger { durability: section.value_or("durability", Durability::Batched) };
    section.finish();
    ledger
}

fn retention(section: &mut Section<'_, '_>) -> Retention {
    let retention = Retention {
        requests_days: section.count_or("requests_days", 183, 1..=DAYS_MAX),
        usage_minute_days: section.count_or("usage_minute_days", 7, 1..=DAYS_MAX),
        usage_hour_days: section.count_or("usage_hour_days", 90, 1..=DAYS_MAX),
        usage_day_days: section.count_or("usage_day_days", 1_825, 1..=DAYS_MAX),
    };
    section.finish();
    retention
}

fn limits(section: &mut Section<'_, '_>) -> Limits {
    let limits = Limits {
        max_connections: section.count_or("max_connections", 1_024, 1..=1_000_000),
        max_in_flight: section.count_or("max_in_flight", 512, 1..=1_000_000),
        header: section.checked_or("header_s", Span::from_s(10), some_time),
        body: section.checked_or("body_s", Span::from_s(120), some_time),
        max_json_depth: section.count_or("max_json_depth", 128, 1..=1_024),
    };
    section.finish();
    limits
}
