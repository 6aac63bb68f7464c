//! One model at one host: what it takes and gives, how much of it, and at what price.

use crate::host::list;
use crate::table::{Fields, Text, split};
use mains_units::PicoUsdPerToken;
use serde::Serialize;
use std::sync::OnceLock;

/// What a model is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Answers a conversation.
    Chat,
    /// Continues a text.
    Completion,
    /// Turns text into a vector.
    Embedding,
    /// Makes or edits pictures.
    Image,
    /// Makes video.
    Video,
    /// Turns speech into text.
    Transcription,
    /// Turns text into speech.
    Speech,
    /// Talks in real time.
    Realtime,
    /// Orders documents.
    Rerank,
    /// Judges content.
    Moderation,
    /// Reads documents.
    Ocr,
    /// Not said by any source.
    Unknown,
}

impl ModelKind {
    /// The word in the data files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
            Self::Embedding => "embedding",
            Self::Image => "image",
            Self::Video => "video",
            Self::Transcription => "transcription",
            Self::Speech => "speech",
            Self::Realtime => "realtime",
            Self::Rerank => "rerank",
            Self::Moderation => "moderation",
            Self::Ocr => "ocr",
            Self::Unknown => "",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [
            Self::Chat,
            Self::Completion,
            Self::Embedding,
            Self::Image,
            Self::Video,
            Self::Transcription,
            Self::Speech,
            Self::Realtime,
            Self::Rerank,
            Self::Moderation,
            Self::Ocr,
            Self::Unknown,
        ]
        .into_iter()
        .find(|kind| kind.name() == word)
    }
}

/// A form of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say all")]
pub enum Modality {
    Text,
    Image,
    Audio,
    Video,
    File,
}

impl Modality {
    const ALL: [Self; 5] = [Self::Text, Self::Image, Self::Audio, Self::Video, Self::File];

    fn letter(self) -> u8 {
        match self {
            Self::Text => b't',
            Self::Image => b'i',
            Self::Audio => b'a',
            Self::Video => b'v',
            Self::File => b'f',
        }
    }
}

/// A set of forms of content; empty means that no source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Modalities(u8);

impl Modalities {
    /// Whether the set holds `modality`.
    pub fn contains(self, modality: Modality) -> bool {
        self.0 & (1 << modality as u8) != 0
    }

    /// Whether nothing is known.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The forms in the set.
    pub fn iter(self) -> impl Iterator<Item = Modality> {
        Modality::ALL.into_iter().filter(move |modality| self.contains(*modality))
    }

    /// Whether every form of `other` is in this set.
    pub fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    pub(crate) fn parse(letters: &str) -> Self {
        let has = |modality: &Modality| letters.as_bytes().contains(&modality.letter());
        Self(
            Modality::ALL
                .iter()
                .filter(|modality| has(modality))
                .fold(0, |set, modality| set | 1 << *modality as u8),
        )
    }
}

impl Serialize for Modalities {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// What a model can do beside answering: `None` means that no source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Capabilities {
    /// Calls tools.
    pub tools: Option<bool>,
    /// Answers in a given JSON schema.
    pub json_schema: Option<bool>,
    /// Streams its answer.
    pub streaming: Option<bool>,
    /// Reasons before it answers.
    pub reasoning: Option<bool>,
    /// Its host caches prompts.
    pub prompt_caching: Option<bool>,
    /// Its weights are open.
    pub open_weights: Option<bool>,
}

impl Capabilities {
    /// Reads letters: small for yes, capital for no, absent for unknown.
    pub(crate) fn parse(letters: &str) -> Self {
        let mut read = Self::default();
        for byte in letters.bytes() {
            let known = Some(byte.is_ascii_lowercase());
            match byte.to_ascii_lowercase() {
                b't' => read.tools = known,
                b'j' => read.json_schema = known,
                b's' => read.streaming = known,
                b'r' => read.reasoning = known,
                b'c' => read.prompt_caching = known,
                b'w' => read.open_weights = known,
                _ => {}
            }
        }
        read
    }
}

/// Prices that hold once a request's input is longer than so many tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PriceTier {
    /// The tier holds for requests with more input tokens than this.
    pub above_input_tokens: u64,
    /// Input.
    pub input: Option<PicoUsdPerToken>,
    /// Output.
    pub output: Option<PicoUsdPerToken>,
    /// Input read from the cache.
    pub cached_read: Option<PicoUsdPerToken>,
    /// Input written to the cache.
    pub cached_write: Option<PicoUsdPerToken>,
}

/// A price for something that is not a text token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitPrice {
    /// What is counted: `output_image`, `output_second`, `input_character`, `request`, `output_image_high_1024x1024` …
    pub unit: Text,
    /// Trillionths of a US dollar for one of them.
    pub pico_usd: u64,
}

/// List prices of one model at one host. `None` means that no source names this price, never that it is free.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Price {
    /// A fresh input token.
    pub input: Option<PicoUsdPerToken>,
    /// An output token, reasoning included.
    pub output: Option<PicoUsdPerToken>,
    /// An input token read from the prompt cache.
    pub cached_read: Option<PicoUsdPerToken>,
    /// An input token written to the prompt cache.
    pub cached_write: Option<PicoUsdPerToken>,
    /// Higher tiers for long inputs, shortest first.
    pub tiers: Vec<PriceTier>,
    /// Prices in other units.
    pub units: Vec<UnitPrice>,
    /// The code of the source.
    pub source: Text,
}

impl Price {
    /// Whether a whole request of text can be priced: input and output are both known.
    pub fn covers_text(&self) -> bool {
        self.input.is_some() && self.output.is_some()
    }

    /// The prices that hold for a request with so many input tokens.
    pub fn at(&self, input_tokens: u64) -> PriceTier {
        let base = PriceTier {
            above_input_tokens: 0,
            input: self.input,
            output: self.output,
            cached_read: self.cached_read,
            cached_write: self.cached_write,
        };
        let tier = self.tiers.iter().rev().find(|tier| input_tokens > tier.above_input_tokens);
        tier.map_or(base, |tier| PriceTier {
            above_input_tokens: tier.above_input_tokens,
            input: tier.input.or(base.input),
            output: tier.output.or(base.output),
            cached_read: tier.cached_read.or(base.cached_read),
            cached_write: tier.cached_write.or(base.cached_write),
        })
    }
}

/// One model at one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// The host's id.
    pub host: Text,
    /// The id that a request to this host names, in the host's own spelling.
    pub id: Text,
    /// What it is asked to do.
    pub kind: ModelKind,
    /// What it takes.
    pub input: Modalities,
    /// What it gives.
    pub output: Modalities,
    /// Its context window in tokens.
    pub context: Option<u64>,
    /// The longest answer in tokens.
    pub max_output: Option<u64>,
    /// What else it can do.
    pub capabilities: Capabilities,
    /// The codes of the sources of all this, parted by `+`.
    pub source: Text,
    /// Its list prices, where a source names any.
    pub price: Option<Price>,
}

/// A name that stands for one or more dated snapshots at one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// The host.
    pub host: Text,
    /// The name.
    pub id: Text,
    /// What it has stood for, oldest first.
    pub snapshots: Vec<Text>,
    /// The code of the source.
    pub source: Text,
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn pico(text: &str) -> Option<PicoUsdPerToken> {
    number(text).map(PicoUsdPerToken)
}

/// A row of `models.csv` that is read when it is first asked for: most of them never are, and reading all of
/// them would take longer than everything else together.
#[derive(Debug, Clone)]
pub(crate) struct ModelRow {
    pub(crate) host: Text,
    pub(crate) id: Text,
    line: &'static str,
    model: OnceLock<Box<Model>>,
}

impl ModelRow {
    pub(crate) fn of_line(line: &'static str) -> Option<Self> {
        let (host, rest) = line.split_once(',')?;
        let (id, _) = rest.split_once(',')?;
        Some(Self { host: Text::Borrowed(host), id: Text::Borrowed(id), line, model: OnceLock::new() })
    }

    pub(crate) fn of_model(model: Model) -> Self {
        let (host, id) = (model.host.clone(), model.id.clone());
        Self { host, id, line: "", model: OnceLock::from(Box::new(model)) }
    }

    pub(crate) fn get(&self) -> &Model {
        self.model.get_or_init(|| Box::new(read_model(self.line)))
    }
}

/// The columns of `models.csv`, none of which holds a comma or a quote.
fn read_model(line: &'static str) -> Model {
    let [host, id, kind, input, output, context, max_output, can, source, price @ ..] = split::<16>(line);
    Model {
        host: Text::Borrowed(host),
        id: Text::Borrowed(id),
        kind: ModelKind::parse(kind).unwrap_or(ModelKind::Unknown),
        input: Modalities::parse(input),
        output: Modalities::parse(output),
        context: number(context),
        max_output: number(max_output),
        capabilities: Capabilities::parse(can),
        source: Text::Borrowed(source),
        price: read_price(price),
    }
}

fn read_price(
    [input, output, cached_read, cached_write, tiers, units, source]: [&'static str; 7],
) -> Option<Price> {
    if source.is_empty() {
        return None;
    }
    Some(Price {
        input: pico(input),
        output: pico(output),
        cached_read: pico(cached_read),
        cached_write: pico(cached_write),
        tiers: if tiers.is_empty() { Vec::new() } else { tiers.split('|').filter_map(read_tier).collect() },
        units: if units.is_empty() { Vec::new() } else { units.split('|').filter_map(read_unit).collect() },
        source: Text::Borrowed(source),
    })
}

fn read_unit(text: &'static str) -> Option<UnitPrice> {
    let (unit, amount) = text.split_once('=')?;
    Some(UnitPrice { unit: Text::Borrowed(unit), pico_usd: number(amount)? })
}

fn read_tier(text: &str) -> Option<PriceTier> {
    let mut parts = text.split(':');
    let above_input_tokens = number(parts.next()?)?;
    let mut next = || parts.next().and_then(pico);
    Some(PriceTier {
        above_input_tokens,
        input: next(),
        output: next(),
        cached_read: next(),
        cached_write: next(),
    })
}

/// The columns of `aliases.csv`.
pub(crate) fn read_alias(line: &'static str) -> Alias {
    let mut fields = Fields::of(line);
    Alias { host: fields.text(), id: fields.text(), snapshots: list(fields.text()), source: fields.text() }
}
