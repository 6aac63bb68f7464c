//! The tables that stand many times: `[[upstream]]`, `[[route]]`, `[[budget]]`, and what must hold
//! between them.

use crate::label;
use crate::problem::{Problem, SourceSpan, closest};
use crate::reader::{Reader, Section};
use crate::sections::some_time;
use crate::settings::{Budget, Cap, Deadlines, Price, Record, Route, Upstream, WeightedTarget};
use crate::value::{Complaint, Raw, Scalar, Setting, quoted_code};
use crate::words::{Criticality, Degraded, Target, Unknown, check_url};
use crate::{agree, swap};
use mains_units::{Grade, NanoUsd, PicoUsdPerToken, Quantity, Span};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::DeValue;

pub(crate) fn upstream(section: &mut Section<'_, '_>) -> Option<Upstream> {
    let name = section.required("name", |name: &String| check_name(name));
    let provider = section.value("provider");
    let base_url = section.checked("base_url", |url: &String| check_url(url));
    let dialect = section.value("dialect");
    check_one_of(section, provider.as_ref(), base_url.as_ref(), dialect.as_ref());
    // The name comes last: whoever leaves early leaves keys unread, and unread keys are unknown keys.
    Some(Upstream {
        provider,
        base_url,
        dialect,
        key: section.value("key"),
        zone: section.value("zone"),
        region: section.value("region"),
        api_version: section.value("api_version"),
        proxy: section.value("proxy"),
        discount_percent: section.checked_or("discount_percent", 0.0, |percent| {
            if *percent <= 100.0 { Ok(()) } else { Err(Complaint::new("expected at most 100 percent")) }
        }),
        prices: section.tables("price", price),
        span: section.span(),
        name: name?,
    })
}

/// The name goes into headers, logs and targets, so it is kept plain.
fn check_name(name: &str) -> Result<(), Complaint> {
    if name == "label" {
        return Err(Complaint::new("`label` is the name of the labellers' own targets"));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.len() <= 64 && name.bytes().all(plain) {
        return Ok(());
    }
    let complaint = Complaint::new(format!("{} is not a name for an upstream", quoted_code(name)));
    Err(complaint.hint("use at most 64 letters, digits, `-`, `_` and `.`"))
}

fn check_one_of(
    section: &mut Section<'_, '_>,
    provider: Option<&Setting<String>>,
    base_url: Option<&Setting<String>>,
    dialect: Option<&Setting<String>>,
) {
    let span = section.span();
    let mut complain = |span: SourceSpan, message: &str, hint: &str| {
        section.reader.report(Problem::at(span, message).hint(hint));
    };
    match (provider, base_url, dialect) {
        (None, None, _) => complain(
            span,
            "this upstream has neither `provider` nor `base_url`",
            "write `provider = \"openai\"`, or `base_url` and `dialect` for a server of your own",
        ),
        (None, Some(url), None) => complain(
            url.span().unwrap_or(span),
            "a server at `base_url` needs its `dialect`",
            "write for example `dialect = \"openai_chat\"`",
        ),
        (Some(_), _, Some(dialect)) => complain(
            dialect.span().unwrap_or(span),
            "a provider's dialect is known and cannot be set",
            "take `dialect` out, or name a server by `base_url` instead of `provider`",
        ),
        _ => {}
    }
}

fn price(section: &mut Section<'_, '_>) -> Option<Price> {
    let model = section.required("model", |_: &String| Ok(()));
    let input = section.value("input_usd_per_million");
    let cached_read = section.value("cached_read_usd_per_million");
    let cached_write = section.value("cached_write_usd_per_million");
    let output = section.value("output_usd_per_million");
    if input.is_none() && output.is_none() && cached_read.is_none() && cached_write.is_none() {
        let problem = Problem::at(section.span(), "this price says nothing");
        section.reader.report(problem.hint("write `input_usd_per_million` and `output_usd_per_million`"));
    }
    Some(Price { model: model?, input, cached_read, cached_write, output })
}

impl Scalar for PicoUsdPerToken {
    /// Written in dollars per million tokens.
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        scaled(raw, 1e6).map(Self)
    }

    fn show(&self) -> String {
        self.as_usd_per_million().to_string()
    }
}

impl Scalar for NanoUsd {
    /// Written in dollars.
    fn read(raw: Raw<'_>) -> Result<Self, Complaint> {
        scaled(raw, 1e9).map(Self)
    }

    fn show(&self) -> String {
        self.as_usd().to_string()
    }
}

/// A number in a unit of people, in our integer unit; beyond 2^53 it would lose digits and is refused.
fn scaled(raw: Raw<'_>, by: f64) -> Result<u64, Complaint> {
    let number = raw.number()?;
    let scaled = (number * by).round();
    if scaled > 9_007_199_254_740_992.0 {
        return Err(Complaint::new(format!("{number} is too large")));
    }
    if scaled < 1.0 && number > 0.0 {
        return Err(Complaint::new(format!("{number} is too small to count")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0..=2^53")]
    Ok(scaled as u64)
}

pub(crate) fn route(section: &mut Section<'_, '_>) -> Option<Route> {
    let model = section.required("model", |_: &String| Ok(()));
    let targets = targets(section);
    let agree = agree::agree(section);
    Some(Route {
        targets,
        agree,
        degraded: section.value_or("degraded", Degraded::Refuse),
        default_max_tokens: section.count_or("default_max_tokens", 1_024, 1..=10_000_000),
        value: section.value("value_usd"),
        criticality: section.value_or("criticality", Criticality::Critical),
        stream_footer: section.value_or("stream_footer", false),
        recall: section.value_or("recall", false),
        attempts_max: section.count_or("attempts_max", 4, 1..=32),
        deadlines: route_deadlines(&mut section.table("deadlines", false)),
        swap: swap::swap(&mut section.table("swap", false)),
        label: label::label(&mut section.table("label", false)),
        span: section.span(),
        model: model?,
    })
}

fn route_deadlines(section: &mut Section<'_, '_>) -> Deadlines<Option<Setting<Span>>> {
    let deadlines = Deadlines {
        connect: section.checked("connect_s", some_time),
        first_content: section.checked("first_content_s", some_time),
        idle: section.checked("idle_s", some_time),
        total: section.checked("total_s", some_time),
    };
    section.finish();
    deadlines
}

const TARGETS_HINT: &str = "write `[\"openai/gpt-4o-mini\", \"groq/other\"]`, or `[[[\"a/x\", 3], [\"b/x\", 1]]]` for a weighted pool";

/// A list whose items are targets or pools of `["target", weight]`.
fn targets(section: &mut Section<'_, '_>) -> Vec<Vec<WeightedTarget>> {
    let header = section.span();
    let Some((span, value)) = section.raw("targets") else {
        let problem = Problem::at(header, "this route has no `targets`");
        section.reader.report(problem.hint(TARGETS_HINT));
        return Vec::new();
    };
    let items: &[Spanned<DeValue<'_>>] = match value {
        DeValue::Array(items) if !items.is_empty() => items,
        _ => {
            let problem = Problem::at(span, "`targets` must be a list with at least one target");
            section.reader.report(problem.hint(TARGETS_HINT));
            return Vec::new();
        }
    };
    let mut pools = Vec::new();
    for item in items {
        let pool: Vec<WeightedTarget> = match item.get_ref() {
            DeValue::Array(members) if !members.is_empty() => {
                members.iter().filter_map(|member| weighted(section, member)).collect()
            }
            _ => target("targets", section, item)
                .map(|target| WeightedTarget { target, weight: 1 })
                .into_iter()
                .collect(),
        };
        if !pool.is_empty() {
            pools.push(pool);
        }
    }
    show_targets(section, span, &pools);
    pools
}

fn show_targets(section: &mut Section<'_, '_>, span: SourceSpan, pools: &[Vec<WeightedTarget>]) {
    let shown: Vec<String> = pools
        .iter()
        .map(|pool| match pool.as_slice() {
            [only] => only.target.value.show(),
            many => {
                let members: Vec<String> = many
                    .iter()
                    .map(|member| format!("[{}, {}]", member.target.value.show(), member.weight))
                    .collect();
                format!("[{}]", members.join(", "))
            }
        })
        .collect();
    let origin = section.origin(span);
    section.show("targets", format!("[{}]", shown.join(", ")), origin);
}

pub(crate) fn target(
    key: &str,
    section: &mut Section<'_, '_>,
    item: &Spanned<DeValue<'_>>,
) -> Option<Setting<Target>> {
    let span = SourceSpan::from(item.span());
    match Target::read(Raw::Toml(item.get_ref())) {
        Ok(value) => Some(Setting { value, origin: section.origin(span) }),
        Err(Complaint { message, hint }) => {
            let problem = Problem::at(span, format!("`{key}`: {message}"));
            section.reader.report(problem.hint(hint.unwrap_or_else(|| TARGETS_HINT.to_owned())));
            None
        }
    }
}

/// `["target", weight]`.
fn weighted(section: &mut Section<'_, '_>, item: &Spanned<DeValue<'_>>) -> Option<WeightedTarget> {
    let pair: &[Spanned<DeValue<'_>>] = match item.get_ref() {
        DeValue::Array(pair) if pair.len() == 2 => pair,
        _ => {
            let problem =
                Problem::at(item.span().into(), "a member of a pool must be `[\"target\", weight]`");
            section.reader.report(problem.hint(TARGETS_HINT));
            return None;
        }
    };
    let target = target("targets", section, &pair[0])?;
    let weight =
        u64::read(Raw::Toml(pair[1].get_ref())).ok().filter(|weight| (1..=1_000_000).contains(weight));
    let Some(weight) = weight.and_then(|weight| u32::try_from(weight).ok()) else {
        let message = "a weight must be a whole number from 1 to 1000000";
        section.reader.report(Problem::at(pair[1].span().into(), message));
        return None;
    };
    Some(WeightedTarget { target, weight })
}

/// The caps: key, quantity, and how many of our integer units one of the key's unit is.
const CAPS: [(&str, Quantity, f64); 6] = [
    ("usd", Quantity::Money, 1e9),
    ("kwh", Quantity::Energy, 3.6e9),
    ("co2_kg", Quantity::Carbon, 1e9),
    ("litres", Quantity::Water, 1e6),
    ("tokens", Quantity::Tokens, 1.0),
    ("requests", Quantity::Requests, 1.0),
];

pub(crate) fn budget(section: &mut Section<'_, '_>) -> Option<Budget> {
    let scope = section.required("scope", |_| Ok(()));
    let per = section.required("per", |_| Ok(()));
    let mut caps = Vec::new();
    let mut any = false;
    for (key, quantity, by) in CAPS {
        let Some((span, value)) = section.raw(key) else { continue };
        any = true;
        let raw = Raw::Toml(value);
        // Tokens and requests are counted whole.
        let amount = if by > 1.0 { scaled(raw, by) } else { u64::read(raw) };
        let origin = section.origin(span);
        match amount {
            Ok(amount) => {
                section.show(key, format!("{amount} {}", quantity.unit()), origin.clone());
                caps.push(Cap { quantity, amount: Setting { value: amount, origin } });
            }
            Err(Complaint { message, hint }) => {
                let problem = Problem::at(span, format!("`{key}`: {message}"));
                section.reader.report(Problem { hint, ..problem });
            }
        }
    }
    if !any {
        let keys: Vec<String> = CAPS.iter().map(|(key, ..)| format!("`{key}`")).collect();
        let problem = Problem::at(section.span(), "this budget caps nothing");
        section.reader.report(problem.hint(format!("set at least one of {}", keys.join(", "))));
    }
    let unknown = section.value_or("unknown", Unknown::Refuse);
    let grade = section.value_or("grade", Grade::B);
    let zone = section.value("zone");
    Some(Budget { scope: scope?, per: per?, caps, unknown, grade, zone, span: section.span() })
}

/// What must hold between the tables: no name twice, no target at an upstream that is not there.
pub(crate) fn check_together(
    reader: &mut Reader<'_>,
    upstreams: &[Upstream],
    routes: &[Route],
    budgets: &[Budget],
) {
    unique(reader, "upstream", upstreams.iter().map(|u| (u.name.value.clone(), u.name.span())));
    unique(reader, "route", routes.iter().map(|r| (r.model.value.clone(), r.model.span())));
    for upstream in upstreams {
        let prices = upstream.prices.iter().map(|p| (p.model.value.clone(), p.model.span()));
        unique(reader, "price", prices);
    }
    let caps = budgets.iter().flat_map(|budget| {
        budget.caps.iter().map(|cap| {
            let unit = cap.quantity.unit();
            (format!("{} per {} in {unit}", budget.scope.value, budget.per.value), cap.amount.span())
        })
    });
    unique(reader, "cap", caps);
    for route in routes {
        let all = route.targets.iter().flatten();
        unique(reader, "target", all.clone().map(|t| (t.target.value.to_string(), t.target.span())));
        for weighted in all {
            known_upstream(reader, &weighted.target, upstreams);
        }
        agree::check(reader, route, upstreams);
        swap::check(reader, route, upstreams);
        label::check(reader, route);
    }
}

/// No project twice under `[record]`.
pub(crate) fn check_record(reader: &mut Reader<'_>, record: &Record) {
    let names = record.projects.iter().map(|project| (project.name.value.clone(), project.name.span()));
    unique(reader, "project", names);
}

fn unique(reader: &mut Reader<'_>, what: &str, names: impl Iterator<Item = (String, Option<SourceSpan>)>) {
    let mut first: BTreeMap<String, SourceSpan> = BTreeMap::new();
    for (name, span) in names {
        let span = span.unwrap_or_default();
        match first.get(&name) {
            Some(earlier) => {
                let line = reader.line(*earlier);
                let problem =
                    Problem::at(span, format!("the {what} {} stands here twice", quoted_code(&name)));
                reader.report(problem.hint(format!("the first is on line {line}")));
            }
            None => {
                first.insert(name, span);
            }
        }
    }
}

/// A target's upstream must be in the file.
pub(crate) fn known_upstream(reader: &mut Reader<'_>, target: &Setting<Target>, upstreams: &[Upstream]) {
    let Target::Model { upstream, .. } = &target.value else { return };
    let names = || upstreams.iter().map(|known| known.name.value.as_str());
    if names().any(|name| name == upstream) {
        return;
    }
    let hint = match closest(upstream, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if upstreams.is_empty() => "add an `[[upstream]]` of this name".to_owned(),
        None => {
            let list: Vec<String> = names().take(12).map(|name| format!("`{name}`")).collect();
            format!("add an `[[upstream]]` of this name; there are {}", list.join(", "))
        }
    };
    let message = format!("no upstream is called {}", quoted_code(upstream));
    reader.report(Problem::at(target.span().unwrap_or_default(), message).hint(hint));
}
