//! Model ids: which literals are one, and whether the program asks for it, lists it or speaks of it.
//!
//! The order of the tests is the order of the functions: position, then message, then the whole literal or
//! its slot. Lists are folded afterwards, in `lists`.

use crate::detector::{Draft, File};
use crate::finding::{AttributedBy, Attribution, Class, Confidence, Signal};
use crate::lex::{Piece, PieceKind};
use crate::needles::Needle;
use crate::{sdk, token};
use mains_catalog::{Catalog, SpellingStep};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// What the whole file says, as far as ids depend on it.
pub(crate) struct Surroundings<'c> {
    pub(crate) catalog: &'c Catalog,
    /// Whether anything else in the file says that it talks to models.
    pub(crate) evidence: bool,
    /// Names asked for already: the answer "unknown" is dear, and files repeat themselves.
    asked: RefCell<HashMap<String, bool>>,
}

impl<'c> Surroundings<'c> {
    pub(crate) fn new(catalog: &'c Catalog, evidence: bool) -> Self {
        Self { catalog, evidence, asked: RefCell::default() }
    }

    fn is_known(&self, token: &str) -> bool {
        if let Some(known) = self.asked.borrow().get(token) {
            return *known;
        }
        let known = self.catalog.lookup(None, token).into_first().is_some();
        self.asked.borrow_mut().insert(token.to_owned(), known);
        known
    }

    /// The host that the spelling itself names.
    fn host_of_spelling(&self, token: &str) -> Option<Attribution> {
        let by = AttributedBy::Prefix;
        if token.starts_with("gpt-35-") {
            return Some(Attribution { host: "azure".to_owned(), by });
        }
        let lookup = self.catalog.lookup(None, token);
        if let Some(resolved) = lookup.resolved() {
            let by_place = resolved.host_is_certain() || resolved.spelling.has(SpellingStep::Region);
            let platform = matches!(resolved.host.id.as_ref(), "aws-bedrock" | "google-vertex")
                && (token.contains('@')
                    || token.contains("anthropic.")
                    || token.contains("amazon.")
                    || token.contains("meta."));
            return (by_place || platform).then(|| Attribution { host: resolved.host.id.to_string(), by });
        }
        let head = token.split_once(['/', ':'])?.0;
        let host = self.catalog.host(head)?;
        Some(Attribution { host: host.id.to_string(), by })
    }
}

/// Every model id of a file.
pub(crate) fn models(around: &Surroundings<'_>, file: &File<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut next_hit = 0;
    for piece in &file.pieces {
        while file.hits.get(next_hit).is_some_and(|hit| hit.end <= piece.start) {
            next_hit += 1;
        }
        let within =
            file.hits[next_hit.min(file.hits.len())..].iter().take_while(|hit| hit.start < piece.end);
        // A name that begins before its piece is cut by the syntax, so it is no name of this piece.
        let inside = |start: usize, end: usize| start >= piece.start && end <= piece.end;
        let names = within.filter(|hit| hit.needle == Needle::Name && inside(hit.start, hit.end));
        let hits: Vec<(usize, usize)> = names.map(|hit| (hit.start, hit.end)).collect();
        match piece.kind {
            PieceKind::Comment | PieceKind::Docstring | PieceKind::Prose => {
                spoken(around, file, piece, &hits, &mut drafts);
            }
            PieceKind::Text | PieceKind::Value => literal(around, file, piece, &hits, &mut drafts),
        }
    }
    let mut seen = HashSet::new();
    drafts.retain(|draft| seen.insert((draft.start, draft.end)));
    drafts
}

fn draft(known: bool, (start, end): (usize, usize), class: Class, why: impl Into<String>) -> Draft {
    Draft {
        signal: Signal::Model { known },
        start,
        end,
        class,
        confidence: Confidence::Low,
        slot: None,
        attribution: None,
        why: why.into(),
        listable: false,
    }
}

/// Ids in comments and prose: mentions, if known.
fn spoken(
    around: &Surroundings<'_>,
    file: &File<'_>,
    piece: &Piece,
    hits: &[(usize, usize)],
    drafts: &mut Vec<Draft>,
) {
    let why = match piece.kind {
        PieceKind::Comment => "in a comment",
        PieceKind::Docstring => "in a docstring",
        _ => "in text for people",
    };
    for hit in hits {
        let span = token::around(&file.text, *hit, (piece.start, piece.end));
        let text = file.slice(span);
        if token::is_distinctive(&text) && (around.is_known(&text)) {
            drafts.push(draft(true, span, Class::Mention, why));
        }
    }
}

fn literal(
    around: &Surroundings<'_>,
    file: &File<'_>,
    piece: &Piece,
    hits: &[(usize, usize)],
    drafts: &mut Vec<Draft>,
) {
    let (start, end) = file.trimmed((piece.start, piece.end));
    if piece.whole
        && token::is_token(&file.text[start..end])
        && let Some(found) = whole_literal(around, file, piece, (start, end), !hits.is_empty())
    {
        drafts.push(found);
        return;
    }
    for hit in hits {
        drafts.extend(embedded(around, file, piece, *hit));
    }
}

/// A literal that is one token: an id by its text, or by the slot that it fills.
fn whole_literal(
    around: &Surroundings<'_>,
    file: &File<'_>,
    piece: &Piece,
    span: (usize, usize),
    hit: bool,
) -> Option<Draft> {
    let text = file.slice(span);
    let slot_is_model = piece.slot.as_deref().is_some_and(token::is_model_slot);
    let default_of_model = piece.fallback.as_deref().is_some_and(token::is_model_slot);
    let in_slot =
        (slot_is_model && piece.direct) || default_of_model || (slot_is_model && piece.fallback.is_some());
    let by_call = piece.call.as_deref().and_then(sdk::host_of_call);
    let called = by_call.is_some() && piece.slot.is_none();
    let own = text.rsplit('/').next().unwrap_or(&text);
    let own =
        own.rsplit_once(':').filter(|(_, tail)| token::is_distinctive(tail)).map_or(own, |(_, tail)| tail);
    let distinctive = token::is_distinctive(own) || token::is_distinctive(&text);
    let prefixed = text.contains('/') || text.contains(':');
    let slotted = in_slot || called;
    let known = (slotted || hit || (prefixed && around.evidence)) && around.is_known(&text);
    let shaped = token::has_family_shape(&text) && token::is_plausible(&text);
    let said = piece.call.is_none() && piece.slot.is_some() && is_message(piece);
    if said || piece.compared || is_comparing_call(piece.call.as_deref()) {
        return (known && distinctive).then(|| draft(true, span, Class::Mention, "only compared with"));
    }
    let accepted = if known {
        distinctive || (slotted && around.evidence) || (prefixed && around.evidence) || (slotted && shaped)
    } else if shaped && (hit || slotted) {
        slotted || token::is_distinctive(own)
    } else {
        slotted
            && around.evidence
            && token::is_plausible(&text)
            && (token::is_machine_name(&text) || called || is_model_call(piece))
    };
    if !accepted {
        return None;
    }
    let why = match (&piece.fallback, &piece.slot) {
        (Some(of), _) => format!("the default of `{of}`"),
        (None, Some(slot)) if slotted => format!("the value of `{slot}`"),
        _ if called => format!("the argument of `{}`", piece.call.as_deref().unwrap_or_default()),
        _ => "the whole literal is an id".to_owned(),
    };
    let mut found = draft(known, span, Class::Use, why);
    found.confidence = match (known, slotted, around.evidence) {
        (true, true, _) | (true, _, true) => Confidence::High,
        (true, false, false) | (false, true, true) => Confidence::Medium,
        _ => Confidence::Low,
    };
    found.slot.clone_from(&piece.slot);
    found.attribution = around
        .host_of_spelling(&text)
        .or_else(|| by_call.map(|host| Attribution { host: host.to_owned(), by: AttributedBy::Call }));
    found.listable = (!slotted || piece.listed) && piece.fallback.is_none();
    Some(found)
}

/// Calls that only look at a name.
fn is_comparing_call(call: Option<&str>) -> bool {
    let last = call.and_then(|call| call.rsplit(['.', ':', '>']).next()).unwrap_or_default();
    matches!(
        last,
        "startswith"
            | "startsWith"
            | "starts_with"
            | "HasPrefix"
            | "hasPrefix"
            | "endswith"
            | "endsWith"
            | "includes"
            | "contains"
            | "Contains"
            | "StartsWith"
            | "indexOf"
            | "case"
            | "str_starts_with"
            | "equals"
    )
}

/// Calls whose `model` argument is surely a model of this kind.
fn is_model_call(piece: &Piece) -> bool {
    let call = piece.call.as_deref().unwrap_or_default().to_ascii_lowercase();
    [
        "create",
        "completion",
        "generate",
        "chat",
        "embed",
        "invoke",
        "converse",
        "messages",
        "responses",
        "openai",
        "llm",
        "stream",
        "agent",
    ]
    .iter()
    .any(|word| call.contains(word))
}

/// An id inside a longer literal: a use where the text around it makes it one, else a mention.
fn embedded(around: &Surroundings<'_>, file: &File<'_>, piece: &Piece, hit: (usize, usize)) -> Option<Draft> {
    let span = token::around(&file.text, hit, (piece.start, piece.end));
    let text = file.slice(span);
    if !token::is_distinctive(&text) {
        return None;
    }
    let known = around.is_known(&text);
    let before = &file.text[piece.start..span.0];
    let slot = embedded_slot(before);
    let shaped = slot.is_some() && token::has_family_shape(&text) && token::is_plausible(&text);
    if !known && !shaped {
        return None;
    }
    let Some(slot) = slot.filter(|_| !is_message(piece)) else {
        let why = if is_message(piece) { "in a message" } else { "inside a longer text" };
        return known.then(|| draft(true, span, Class::Mention, why));
    };
    let mut found = draft(known, span, Class::Use, format!("after `{slot}` inside a text"));
    found.confidence = if known && around.evidence { Confidence::High } else { Confidence::Medium };
    found.slot = Some(slot);
    let prefix = file.slice((piece.start.max(span.0.saturating_sub(120)), span.1));
    found.attribution = around.host_of_spelling(&text).or_else(|| host_of_resource(&prefix));
    Some(found)
}

/// Whether a literal is something said to a person.
fn is_message(piece: &Piece) -> bool {
    let call = piece.call.as_deref().unwrap_or_default();
    let last = call.rsplit(['.', ':', '>', '!']).find(|part| !part.is_empty()).unwrap_or(call);
    let lower = last.to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "print"
            | "println"
            | "printf"
            | "eprintln"
            | "echo"
            | "raise"
            | "throw"
            | "log"
            | "warn"
            | "warning"
            | "info"
            | "debug"
            | "error"
            | "exception"
            | "critical"
            | "puts"
            | "fatalf"
            | "errorf"
            | "sprintf"
            | "panic"
            | "fail"
            | "help"
            | "console"
    ) || lower.ends_with("error")
        || lower.ends_with("exception")
        || piece.slot.as_deref().is_some_and(|slot| {
            let last = slot.rsplit('.').next().unwrap_or(slot).to_ascii_lowercase();
            matches!(
                last.as_str(),
                "help"
                    | "description"
                    | "message"
                    | "title"
                    | "summary"
                    | "docs"
                    | "label"
                    | "placeholder"
                    | "keywords"
                    | "tags"
                    | "topics"
                    | "classifiers"
            )
        })
}

/// What directly before an id makes it one that is asked for: `"model": "`, `--model `, `models/`.
fn embedded_slot(before: &[u8]) -> Option<String> {
    let tail = &before[before.len().saturating_sub(80)..];
    let text = String::from_utf8_lossy(tail);
    let lower = text.to_ascii_lowercase();
    for path in ["models/", "deployments/", "foundation-model/", "inference-profile/", "/model/"] {
        let within = lower
            .rsplit_once(path)
            .is_some_and(|(_, rest)| rest.is_empty() || (rest.ends_with('/') && !rest.contains(' ')));
        if within {
            return Some(path.trim_matches('/').to_owned());
        }
    }
    let trimmed = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '`'));
    let trimmed = match trimmed.strip_suffix(['/']) {
        Some(prefix) => {
            prefix.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        }
        None => trimmed,
    };
    let trimmed =
        trimmed.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '`'));
    let (name_end, assigned) = match trimmed.strip_suffix([':', '=']) {
        Some(name) => (
            name.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '`' | ':')),
            true,
        ),
        None => (trimmed, false),
    };
    let from = name_end
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
        .map_or(0, |at| at + name_end[at..].chars().next().map_or(1, char::len_utf8));
    let name = &name_end[from..];
    let flag = name.starts_with('-');
    let slot = name.trim_start_matches('-');
    ((assigned || flag) && token::is_model_slot(slot)).then(|| slot.to_owned())
}

/// The platform in a resource name around an id.
fn host_of_resource(text: &str) -> Option<Attribution> {
    let host = if text.contains("arn:aws:bedrock") || text.contains("foundation-model/") {
        "aws-bedrock"
    } else if text.contains("publishers/") {
        "google-vertex"
    } else if text.contains("deployments/") {
        "azure"
    } else {
        return None;
    };
    Some(Attribution { host: host.to_owned(), by: AttributedBy::Prefix })
}
