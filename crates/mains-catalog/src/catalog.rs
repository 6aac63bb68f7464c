//! All facts together, compiled in, and the plain questions asked of them.

use crate::fact::{Endpoint, Fact, FactKind, LegacyCall, Source, read_fact, read_legacy, read_source};
use crate::host::{Host, read_host};
use crate::index::{Index, Name, Table};
use crate::model::{Alias, Model, ModelRow, Price, read_alias};
use crate::overlay::{self, OverlayError};
use crate::physics::{self, GridMix, Hardware, Parameters, SiteDefaults, VideoModel};
use crate::table::{Text, rows};
use mains_units::{Day, Timestamp};
use std::cmp::Ordering;
use std::sync::OnceLock;

/// The built-in files, in the order in which [`crate::hash_of_files`] takes them.
const FILES: [(&str, &str); 11] = [
    ("aliases.csv", include_str!("../data/aliases.csv")),
    ("hosts.csv", include_str!("../data/hosts.csv")),
    ("legacy.csv", include_str!("../data/legacy.csv")),
    ("lifecycle.csv", include_str!("../data/lifecycle.csv")),
    ("models.csv", include_str!("../data/models.csv")),
    ("mpl/grid.csv", include_str!("../data/mpl/grid.csv")),
    ("mpl/hardware.csv", include_str!("../data/mpl/hardware.csv")),
    ("mpl/video.csv", include_str!("../data/mpl/video.csv")),
    ("parameters.csv", include_str!("../data/parameters.csv")),
    ("sites.csv", include_str!("../data/sites.csv")),
    ("sources.csv", include_str!("../data/sources.csv")),
];

/// The hash of [`FILES`], written by the generator and checked by a test.
const HASH: &str = include_str!("../data/catalogue.sha256");

/// What models exist, what they cost, when they end, how big they are.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) hash: String,
    pub(crate) read_on: Day,
    pub(crate) models: Vec<ModelRow>,
    /// Facts about models, by name.
    pub(crate) facts: Vec<Fact>,
    /// Facts about endpoints, products and parameters.
    pub(crate) other_facts: Vec<Fact>,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) parameters: Vec<Parameters>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) sources: Vec<Source>,
    pub(crate) legacy: Vec<LegacyCall>,
    pub(crate) grid: Vec<GridMix>,
    pub(crate) sites: Vec<SiteDefaults>,
    pub(crate) hardware: Vec<Hardware>,
    pub(crate) videos: Vec<VideoModel>,
    pub(crate) index: Index,
    /// Every family of every host, by its first byte: the family, whether it is a whole id, the host's row.
    families: Vec<(Text, bool, usize)>,
}

impl Catalog {
    /// The facts compiled into this binary.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(Self::read)
    }

    /// The built-in facts and a user's own, which win over them. `file_name` is only for messages.
    ///
    /// # Errors
    /// What is wrong in the text, with file and line.
    pub fn with_overlay(text: &str, file_name: &str) -> Result<Self, OverlayError> {
        overlay::apply(Self::builtin(), text, file_name)
    }

    fn read() -> Self {
        let file = |name: &str| FILES.iter().find(|(file, _)| *file == name).map_or("", |(_, text)| *text);
        let all_facts: Vec<Fact> = rows(file("lifecycle.csv")).filter_map(read_fact).collect();
        let (facts, other_facts) = all_facts.into_iter().partition(|fact| fact.kind == FactKind::Model);
        let sources: Vec<Source> = rows(file("sources.csv")).filter_map(read_source).collect();
        let mut catalog = Self {
            hash: HASH.trim().to_owned(),
            read_on: Timestamp::default().day(),
            models: rows(file("models.csv")).filter_map(ModelRow::of_line).collect(),
            facts,
            other_facts,
            aliases: rows(file("aliases.csv")).map(read_alias).collect(),
            parameters: rows(file("parameters.csv")).map(physics::read_parameters).collect(),
            hosts: rows(file("hosts.csv")).map(read_host).collect(),
            sources,
            legacy: rows(file("legacy.csv")).map(read_legacy).collect(),
            grid: rows(file("mpl/grid.csv")).map(physics::read_grid).collect(),
            sites: rows(file("sites.csv")).map(physics::read_site).collect(),
            hardware: rows(file("mpl/hardware.csv")).map(physics::read_hardware).collect(),
            videos: rows(file("mpl/video.csv")).map(physics::read_video).collect(),
            index: Index::with_room_for(0),
            families: Vec::new(),
        };
        catalog.reindex();
        catalog
    }

    /// Sorts the tables by name, which costs little when they are sorted already, and finds names again.
    pub(crate) fn sort(&mut self) {
        self.models.sort_by(|a, b| by_name((&a.id, &a.host), (&b.id, &b.host)));
        self.facts.sort_by(|a, b| by_name((&a.id, &a.host), (&b.id, &b.host)));
        self.aliases.sort_by(|a, b| by_name((&a.id, &a.host), (&b.id, &b.host)));
        self.parameters.sort_by(|a, b| by_name((&a.id, &a.provider), (&b.id, &b.provider)));
        self.hosts.sort_by(|a, b| a.id.cmp(&b.id));
        self.reindex();
    }

    fn reindex(&mut self) {
        let rows = self.models.len() + self.facts.len() + self.aliases.len() + self.parameters.len();
        let mut index = Index::with_room_for(rows);
        for (row, model) in self.models.iter().enumerate() {
            index.add(Table::Models, &model.id, row);
        }
        for (row, fact) in self.facts.iter().enumerate() {
            index.add(Table::Facts, &fact.id, row);
        }
        for (row, alias) in self.aliases.iter().enumerate() {
            index.add(Table::Aliases, &alias.id, row);
        }
        for (row, parameters) in self.parameters.iter().enumerate() {
            index.add(Table::Parameters, &parameters.id, row);
        }
        self.index = index;
        self.families.clear();
        for (row, host) in self.hosts.iter().enumerate() {
            self.families.extend(host.families().map(|(family, whole)| (family, whole, row)));
        }
        self.families.sort();
        let read = self.sources.iter().map(|source| source.read);
        let read = read.chain(self.facts.iter().map(|fact| fact.source_read));
        self.read_on = read.max().unwrap_or(self.read_on);
    }

    /// The SHA-256 by which records name this catalogue, in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The day of the newest source: how old these facts are.
    pub fn as_read_on(&self) -> Day {
        self.read_on
    }

    /// Every (host, model) pair, by name, then host.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().map(ModelRow::get)
    }

    /// The model of that id at that host, whatever the case of either.
    pub fn model(&self, host: &str, id: &str) -> Option<&Model> {
        let host = self.host(host)?;
        self.model_rows(id).iter().find(|row| row.host == host.id).map(ModelRow::get)
    }

    /// The models of that id at every host, by host.
    pub fn models_named(&self, id: &str) -> impl Iterator<Item = &Model> {
        self.model_rows(id).iter().map(ModelRow::get)
    }

    pub(crate) fn model_rows(&self, id: &str) -> &[ModelRow] {
        self.rows(id, Table::Models).and_then(|rows| self.models.get(rows)).unwrap_or(&[])
    }

    /// The list prices of a model at a host; `None` when no source names any.
    pub fn price(&self, host: &str, id: &str) -> Option<&Price> {
        self.model(host, id)?.price.as_ref()
    }

    /// Every lifecycle fact about a model id at every host, by host; an id without facts has none.
    pub fn facts_named(&self, id: &str) -> &[Fact] {
        self.rows(id, Table::Facts).and_then(|rows| self.facts.get(rows)).unwrap_or(&[])
    }

    /// Every lifecycle fact about models.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }

    /// Facts about endpoints: paths and header lines that end.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint<'_>> {
        let endpoints = self.other_facts.iter().filter(|fact| fact.kind == FactKind::Endpoint);
        endpoints.map(|fact| Endpoint { host: &fact.host, path: &fact.id, fact })
    }

    /// Facts about products; their names are for people and never match code.
    pub fn products(&self) -> impl Iterator<Item = &Fact> {
        self.other_facts.iter().filter(|fact| fact.kind == FactKind::Product)
    }

    /// Facts about request parameters.
    pub fn request_parameters(&self) -> impl Iterator<Item = &Fact> {
        self.other_facts.iter().filter(|fact| fact.kind == FactKind::Parameter)
    }

    /// Call shapes of old client libraries.
    pub fn legacy_calls(&self) -> impl Iterator<Item = &LegacyCall> {
        self.legacy.iter()
    }

    /// Names that stand for dated snapshots.
    pub fn aliases(&self) -> impl Iterator<Item = &Alias> {
        self.aliases.iter()
    }

    /// The alias of that name at that host.
    pub fn alias(&self, host: &str, id: &str) -> Option<&Alias> {
        self.aliases_named(id).iter().find(|alias| alias.host == host)
    }

    pub(crate) fn aliases_named(&self, id: &str) -> &[Alias] {
        self.rows(id, Table::Aliases).and_then(|rows| self.aliases.get(rows)).unwrap_or(&[])
    }

    pub(crate) fn parameters_named(&self, id: &str) -> &[Parameters] {
        self.rows(id, Table::Parameters).and_then(|rows| self.parameters.get(rows)).unwrap_or(&[])
    }

    /// Sizes of text models, by name.
    pub fn all_parameters(&self) -> impl Iterator<Item = &Parameters> {
        self.parameters.iter()
    }

    /// Every known model id and alias, in lower case, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.index.names().iter().map(|name| name.text.as_ref())
    }

    /// All hosts, by id.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter()
    }

    /// The host of that id, or of that other id, whatever its case.
    pub fn host(&self, id: &str) -> Option<&Host> {
        if let Ok(found) = self.hosts.binary_search_by(|host| host.id.as_ref().cmp(id)) {
            return self.hosts.get(found);
        }
        self.hosts.iter().find(|host| host.is_called(id))
    }

    /// The host that answers at an address: `https://api.groq.com/openai/v1`, `api.groq.com`.
    pub fn host_by_api(&self, address: &str) -> Option<&Host> {
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        let address = address
            .split_once('@')
            .map_or(address, |(user, rest)| if user.contains('/') { address } else { rest });
        let address = address.to_ascii_lowercase();
        let matching = self.hosts.iter().filter_map(|host| Some((host.pattern_length(&address)?, host)));
        matching.max_by(|a, b| a.0.cmp(&b.0).then(b.1.id.cmp(&a.1.id))).map(|(_, host)| host)
    }

    /// The host whose key is usually kept in the environment variable `name`. Where several share one, the
    /// host that the most specific source names first wins.
    pub fn host_by_key_variable(&self, name: &str) -> Option<&Host> {
        let bears = |host: &&Host| host.key_variables.iter().any(|variable| variable == name);
        let mut bearing = self.hosts.iter().filter(bears);
        let first = bearing.next()?;
        // A company's plans and regions share its variable; the shortest id is the company's own.
        Some(bearing.fold(first, |best, host| if host.id.len() < best.id.len() { host } else { best }))
    }

    /// The host whose company makes the model of that id, by the beginning of the id.
    pub fn owner(&self, id: &str) -> Option<&Host> {
        let id = crate::spelling::bare_id(id);
        let first = id.as_bytes().first();
        let start = self.families.partition_point(|(family, ..)| family.as_bytes().first() < first);
        let same =
            self.families[start..].iter().take_while(|(family, ..)| family.as_bytes().first() == first);
        let fits = |(family, whole, _): &&(Text, bool, usize)| {
            if *whole { *family == id } else { id.starts_with(family.as_ref()) }
        };
        // The longest beginning is the most specific one; a whole id is more specific than any.
        let longest = same.filter(fits).max_by_key(|(family, whole, _)| (*whole, family.len()));
        longest.and_then(|(_, _, row)| self.hosts.get(*row))
    }

    /// The average electricity mix of a grid zone.
    pub fn grid(&self, zone: &str) -> Option<&GridMix> {
        self.grid.iter().find(|mix| mix.zone.eq_ignore_ascii_case(zone))
    }

    /// All grid zones.
    pub fn grids(&self) -> impl Iterator<Item = &GridMix> {
        self.grid.iter()
    }

    /// Where a host's machines are assumed to stand.
    pub fn site(&self, host: &str) -> Option<&SiteDefaults> {
        self.sites.iter().find(|site| site.host == host)
    }

    /// Machines that serve video models.
    pub fn hardware(&self, id: &str) -> Option<&Hardware> {
        self.hardware.iter().find(|hardware| hardware.id == id)
    }

    /// Video models with a known latency.
    pub fn videos(&self) -> impl Iterator<Item = &VideoModel> {
        self.videos.iter()
    }

    /// What a source code stands for.
    pub fn source(&self, code: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.code == code)
    }

    /// All sources.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    pub(crate) fn name(&self, id: &str) -> Option<&Name> {
        self.index.find(id)
    }

    fn rows(&self, id: &str, table: Table) -> Option<std::ops::Range<usize>> {
        Some(self.name(id)?.rows(table))
    }
}

/// The order of all tables: by name, whatever its case, then host.
fn by_name(a: (&str, &str), b: (&str, &str)) -> Ordering {
    let lower = |text: &str| text.to_ascii_lowercase();
    lower(a.0).cmp(&lower(b.0)).then_with(|| a.1.cmp(b.1))
}
