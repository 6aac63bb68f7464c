//! What can be set: the typed form of `mains.toml`, one struct a table.

use crate::label::RouteLabel;
use crate::problem::{Problem, Source, SourceSpan, closest};
use crate::swap::Swap;
use crate::value::{Origin, Setting, quoted_code};
use crate::words::{
    BudgetStatus, Content, Criticality, Degraded, Durability, KeyRef, Proxy, Scope, Target, Unknown, Window,
};
use mains_units::{Grade, NanoUsd, PicoUsdPerToken, Quantity, Span};
use std::net::{IpAddr, SocketAddr};

/// The whole file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[serve]`.
    pub serve: Serve,
    /// Every `[[upstream]]`; names are unique.
    pub upstreams: Vec<Upstream>,
    /// Every `[[route]]`; models are unique and every target names an upstream that exists.
    pub routes: Vec<Route>,
    /// Every `[[budget]]`.
    pub budgets: Vec<Budget>,
    /// `[record]`.
    pub record: Record,
    /// `[policy]`.
    pub policy: Policy,
    /// `[ledger]`.
    pub ledger: Ledger,
    /// `[retention]`.
    pub retention: Retention,
    /// `[limits]`.
    pub limits: Limits,
    pub(crate) shown: Vec<Shown>,
    pub(crate) source: Source,
}

impl Settings {
    /// Every value with its origin, in the order of the tables; for `mains config show`. No secret is
    /// among them, because none can stand in the file.
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// The settings as text for hashing: one `key = value` a line, in a fixed order, without origins,
    /// comments or spelling. Two files that mean the same give the same text.
    pub fn canonical(&self) -> String {
        self.shown.iter().fold(String::new(), |text, shown| text + &shown.key + " = " + &shown.value + "\n")
    }

    /// The file, for problems that later checks find.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The route for this model, spelled exactly.
    pub fn route(&self, model: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.model.value == model)
    }

    /// The upstream of this name.
    pub fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.upstreams.iter().find(|upstream| upstream.name.value == name)
    }

    pub(crate) fn with_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }
}

/// One value as `mains config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Dotted path: `serve.listen`, `upstream[0].name`.
    pub key: String,
    /// The value on one line, as TOML would write it.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// `[serve]`: the outlet.
#[derive(Debug, Clone)]
pub struct Serve {
    /// Where applications connect; `127.0.0.1:2300` by default.
    pub listen: Setting<SocketAddr>,
    /// The data folder, relative to the folder of `mains.toml`; `.mains` by default.
    pub data: Setting<String>,
    /// Whether a model without a route goes to an upstream that may know it; off by default.
    pub passthrough: Setting<bool>,
    /// Where page and metrics stand when the data port is keyed or beyond loopback.
    pub admin_listen: Option<Setting<SocketAddr>>,
    /// The largest body taken from a client; 32 MiB by default.
    pub max_body_bytes: Setting<u64>,
    /// How long streams may run on after `SIGTERM`; 30 seconds by default.
    pub drain: Setting<Span>,
    /// Deadlines of every request, unless its route says otherwise.
    pub deadlines: Deadlines<Setting<Span>>,
    /// What a spent budget answers; 402 by default.
    pub budget_status: Setting<BudgetStatus>,
    /// Further values of `Host` that are accepted, besides the names of loopback.
    pub allowed_hosts: Setting<Vec<String>>,
}

impl Serve {
    /// Whether the outlet listens where other machines can reach it. Then keys are required; whether any
    /// exist only the caller knows.
    pub fn listens_beyond_loopback(&self) -> bool {
        !is_loopback(self.listen.value)
    }

    /// The same for the admin listener; `false` when there is none.
    pub fn admin_beyond_loopback(&self) -> bool {
        self.admin_listen.as_ref().is_some_and(|admin| !is_loopback(admin.value))
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        // `::ffff:127.0.0.1` reaches the same listener as `127.0.0.1`.
        IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
    }
}

/// Deadlines of one request, shared by all its attempts.
#[derive(Debug, Clone, Default)]
pub struct Deadlines<T> {
    /// To connect to a target.
    pub connect: T,
    /// Until the first content of an answer.
    pub first_content: T,
    /// Between two pieces of an answer.
    pub idle: T,
    /// For everything.
    pub total: T,
}

/// `[[upstream]]`: an account at a provider, or a server of one's own.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name, the first part of a target: ASCII letters, digits, `-`, `_` and `.`.
    pub name: Setting<String>,
    /// The provider's record; the caller checks that it exists. Either this or `base_url` is there.
    pub provider: Option<Setting<String>>,
    /// The address of a server; `http` or `https`, without credentials.
    pub base_url: Option<Setting<String>>,
    /// The dialect spoken at `base_url`; the caller checks that it exists.
    pub dialect: Option<Setting<String>>,
    /// Where the key lies.
    pub key: Option<Setting<KeyRef>>,
    /// Grid zone, for the meter.
    pub zone: Option<Setting<String>>,
    /// Region, for policy.
    pub region: Option<Setting<String>>,
    /// Version of the provider's interface, where it wants one.
    pub api_version: Option<Setting<String>>,
    /// How it is reached; the environment's standard variables by default.
    pub proxy: Option<Setting<Proxy>>,
    /// Taken off every price, in percent from 0 to 100.
    pub discount_percent: Setting<f64>,
    /// Prices that replace the catalogue's.
    pub prices: Vec<Price>,
    /// Where its header stands.
    pub span: SourceSpan,
}

/// `[[upstream.price]]`: what one model costs at this account.
#[derive(Debug, Clone)]
pub struct Price {
    /// The model as this upstream spells it.
    pub model: Setting<String>,
    /// Fresh input.
    pub input: Option<Setting<PicoUsdPerToken>>,
    /// Input read from the cache.
    pub cached_read: Option<Setting<PicoUsdPerToken>>,
    /// Input written to the cache.
    pub cached_write: Option<Setting<PicoUsdPerToken>>,
    /// Output.
    pub output: Option<Setting<PicoUsdPerToken>>,
}

/// `[[route]]`: a name that applications ask for.
#[derive(Debug, Clone)]
pub struct Route {
    /// The name.
    pub model: Setting<String>,
    /// Who answers, in order; each place is a pool, mostly of one.
    pub targets: Vec<Vec<WeightedTarget>>,
    /// Two cheap models that are asked first; where they agree, that is the answer.
    pub agree: Option<[Setting<Target>; 2]>,
    /// Whether a local generative model may stand in; refused by default.
    pub degraded: Setting<Degraded>,
    /// Output tokens assumed for a request that names none; 1024 by default.
    pub default_max_tokens: Setting<u64>,
    /// What an answer is worth.
    pub value: Option<Setting<NanoUsd>>,
    /// What is shed last; `critical` by default.
    pub criticality: Setting<Criticality>,
    /// Whether a stream ends with a comment line that says its cost; off by default.
    pub stream_footer: Setting<bool>,
    /// Whether an exact repetition may be answered from the cache; off by default.
    pub recall: Setting<bool>,
    /// The most attempts at all targets together; 4 by default.
    pub attempts_max: Setting<u64>,
    /// Deadlines that differ from those of `[serve.deadlines]`.
    pub deadlines: Deadlines<Option<Setting<Span>>>,
    /// A switch under way from one of the targets to a tested replacement.
    pub swap: Option<Swap>,
    /// How much a labeller among the targets answers, where that is said.
    pub label: Option<RouteLabel>,
    /// Where its header stands.
    pub span: SourceSpan,
}

impl Route {
    /// The deadlines that hold for this route.
    pub fn deadlines(&self, serve: &Serve) -> Deadlines<Span> {
        let or = |own: &Option<Setting<Span>>, all: &Setting<Span>| own.as_ref().unwrap_or(all).value;
        Deadlines {
            connect: or(&self.deadlines.connect, &serve.deadlines.connect),
            first_content: or(&self.deadlines.first_content, &serve.deadlines.first_content),
            idle: or(&self.deadlines.idle, &serve.deadlines.idle),
            total: or(&self.deadlines.total, &serve.deadlines.total),
        }
    }
}

/// One member of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedTarget {
    /// Who answers.
    pub target: Setting<Target>,
    /// Its share among the pool, from 1.
    pub weight: u32,
}

/// `[[budget]]`: caps of one scope in one window.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Whose spending.
    pub scope: Setting<Scope>,
    /// Over which window.
    pub per: Setting<Window>,
    /// The caps, at least one, in the order of [`Quantity::ALL`].
    pub caps: Vec<Cap>,
    /// Whether targets of unknown price are eligible; not by default.
    pub unknown: Setting<Unknown>,
    /// The worst grade of figures on which energy, carbon and water bind; `B` by default.
    pub grade: Setting<Grade>,
    /// The time zone in which windows begin, as the tz database spells it; UTC without one. The caller
    /// checks that it exists.
    pub zone: Option<Setting<String>>,
    /// Where its header stands.
    pub span: SourceSpan,
}

/// One cap of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// What is capped.
    pub quantity: Quantity,
    /// How much, in [`Quantity::unit`].
    pub amount: Setting<u64>,
}

/// `[record]`: what is kept of requests and answers.
#[derive(Debug, Clone)]
pub struct Record {
    /// Whether content is kept; not by default.
    pub content: Setting<Content>,
    /// For how many days, where content is kept; 30 by default.
    pub retention_days: Setting<u64>,
    /// The largest body that is kept, of the request and of the answer each; 1 MiB by default, 16 MiB at most. A
    /// larger exchange is not kept at all.
    pub max_body_bytes: Setting<u64>,
    /// The file of the key under which kept content is sealed, relative to the folder of `mains.toml`; made on
    /// first use. It must not lie in the data folder; by default it lies in the user's state folder.
    pub key_file: Option<Setting<String>>,
    /// Every `[[record.project]]`; names are unique.
    pub projects: Vec<RecordProject>,
}

/// `[[record.project]]`: what one project has otherwise than `[record]`.
#[derive(Debug, Clone)]
pub struct RecordProject {
    /// The project; the caller checks that it exists, see [`Record::unknown_projects`].
    pub name: Setting<String>,
    /// Whether its content is kept.
    pub content: Option<Setting<Content>>,
    /// For how many days.
    pub retention_days: Option<Setting<u64>>,
}

impl Record {
    /// For how many days content of this project is kept; `None` where none is. `None` for requests without a
    /// project.
    pub fn keep_days(&self, project: Option<&str>) -> Option<u64> {
        let own = self.projects.iter().find(|own| Some(own.name.value.as_str()) == project);
        let content = own.and_then(|own| own.content.as_ref()).unwrap_or(&self.content);
        (content.value == Content::Keep).then(|| self.retention_days(own))
    }

    /// For how many days what was kept stays, of every project that is not named and of each that is. Also where
    /// nothing more is kept: what was kept before ends in its time.
    pub fn retention(&self) -> (u64, Vec<(&str, u64)>) {
        let named = self.projects.iter().map(|own| (own.name.value.as_str(), self.retention_days(Some(own))));
        (self.retention_days.value, named.collect())
    }

    /// Whether content of any project may be kept, so that there must be a vault.
    pub fn keeps_any(&self) -> bool {
        let own = self.projects.iter().filter_map(|own| own.content.as_ref());
        std::iter::once(&self.content).chain(own).any(|content| content.value == Content::Keep)
    }

    /// Complaints about projects that are not among the known ones: those of keys and budgets, which only the
    /// caller has at hand.
    pub fn unknown_projects(&self, known: &[&str]) -> Vec<Problem> {
        let unknown = self.projects.iter().filter(|own| !known.contains(&own.name.value.as_str()));
        unknown
            .map(|own| {
                let name = quoted_code(&own.name.value);
                let message = format!("no key and no budget has a project that is called {name}");
                let hint = match closest(&own.name.value, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "make a key for it first: `mains key`".to_owned(),
                };
                Problem::at(own.name.span().unwrap_or_default(), message).hint(hint)
            })
            .collect()
    }

    fn retention_days(&self, own: Option<&RecordProject>) -> u64 {
        own.and_then(|own| own.retention_days.as_ref()).unwrap_or(&self.retention_days).value
    }
}

/// `[policy]`: what is allowed.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `allow-all`, or a folder of policies.
    pub set: Setting<String>,
}

/// `[ledger]`: the proof.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// What an answer waits for; `batched` by default.
    pub durability: Setting<Durability>,
}

/// `[retention]`: after how many days the store forgets. The ledger itself is never pruned.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Rows of single requests and their commitment keys; 183 by default, the six months of the EU AI
    /// Act, articles 19 and 26.
    pub requests_days: Setting<u64>,
    /// Usage by minute; 7 by default.
    pub usage_minute_days: Setting<u64>,
    /// Usage by hour; 90 by default.
    pub usage_hour_days: Setting<u64>,
    /// Usage by day; 1,825 by default.
    pub usage_day_days: Setting<u64>,
}

/// `[limits]`: what one client, or all together, may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open connections; 1,024 by default.
    pub max_connections: Setting<u64>,
    /// Requests that are being answered; 512 by default.
    pub max_in_flight: Setting<u64>,
    /// For a client to send its headers; 10 seconds by default.
    pub header: Setting<Span>,
    /// For a client to send its body; 120 seconds by default.
    pub body: Setting<Span>,
    /// How deep a body may nest; 128 by default.
    pub max_json_depth: Setting<u64>,
}
