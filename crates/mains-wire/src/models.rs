//! `/v1/models`, in the shapes of OpenAI and of Anthropic.
//!
//! Clients of Anthropic skip names that do not begin with `claude` or `anthropic` (Claude Code's model
//! discovery, code.claude.com/docs/en/llm-gateway-protocol, read 2026-11-24). So in that shape every other
//! model goes by an alias, `claude-mains-…`, and [`find`] takes either name.

use mains_units::{Day, Timestamp};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A model that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name to ask for.
    pub id: String,
    /// Who answers: the name of the first target's provider, never its address or key.
    pub owned_by: String,
    /// When the model came out, if known.
    pub created: Option<Timestamp>,
    /// The day from which it fails, if one is announced.
    pub shutdown: Option<Day>,
}

/// Which part of a list is asked for, in Anthropic's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many models, 1 to 1000.
    pub limit: usize,
    /// Only those after this one.
    pub after_id: Option<String>,
    /// Only those before this one.
    pub before_id: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: 20, after_id: None, before_id: None }
    }
}

impl Page {
    /// From the query of an address, without the question mark. What cannot be read is left at its default,
    /// and the limit is brought into its bounds: a list is better than an error to a client that discovers.
    pub fn from_query(query: &str) -> Self {
        let mut page = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "limit" => page.limit = value.parse().unwrap_or(page.limit).clamp(1, 1000),
                "after_id" => page.after_id = Some(decoded(value)),
                "before_id" => page.before_id = Some(decoded(value)),
                _ => {}
            }
        }
        page
    }
}

/// A value of a query with its escapes undone.
fn decoded(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok())
            .flatten()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escape.unwrap_or(if bytes[at] == b'+' { b' ' } else { bytes[at] }));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The list in OpenAI's shape.
pub fn openai_list(models: &[Listed]) -> Vec<u8> {
    let data: Vec<Value> = models.iter().map(openai).collect();
    json!({ "object": "list", "data": data }).to_string().into_bytes()
}

/// One model in OpenAI's shape.
pub fn openai_one(model: &Listed) -> Vec<u8> {
    openai(model).to_string().into_bytes()
}

fn openai(model: &Listed) -> Value {
    json!({
        "id": model.id,
        "object": "model",
        "created": model.created.map_or(0, |moment| moment.0.div_euclid(1_000)),
        "owned_by": model.owned_by,
        "shutdown_date": model.shutdown,
    })
}

/// A part of the list in Anthropic's shape, on the day `today`.
pub fn anthropic_list(models: &[Listed], page: &Page, today: Day) -> Vec<u8> {
    let names = aliases(models);
    let position = |id: &Option<String>| names.iter().position(|name| Some(name.as_ref()) == id.as_deref());
    let start = position(&page.after_id).map_or(0, |at| at + 1);
    let end = position(&page.before_id).unwrap_or(names.len()).max(start);
    // Before a model, the nearest ones are meant; they stand at the end of what is left.
    let (from, to) = if page.before_id.is_some() && page.after_id.is_none() {
        (end.saturating_sub(page.limit).max(start), end)
    } else {
        (start, end.min(start.saturating_add(page.limit)))
    };
    let more = if page.before_id.is_some() && page.after_id.is_none() { from > start } else { to < end };
    let data: Vec<Value> = (from..to).map(|at| anthropic(&models[at], &names[at], today)).collect();
    let name = |at: Option<usize>| at.filter(|_| from < to).map(|at| names[at].as_ref());
    json!({
        "data": data,
        "has_more": more,
        "first_id": name(Some(from)),
        "last_id": name(to.checked_sub(1)),
    })
    .to_string()
    .into_bytes()
}

/// One model in Anthropic's shape, under the name it was asked by, on the day `today`.
pub fn anthropic_one(model: &Listed, asked: &str, today: Day) -> Vec<u8> {
    anthropic(model, asked, today).to_string().into_bytes()
}

/// The members of `ModelInfo` that anthropic 2.13.0 for Python requires, and the dates of the end. An
/// unknown birthday is the epoch, as its documentation says.
fn anthropic(model: &Listed, name: &str, today: Day) -> Value {
    let lifecycle = match model.shutdown {
        None => "active",
        Some(day) if today.days_until(day) > 0 => "deprecated",
        Some(_) => "retired",
    };
    json!({
        "type": "model",
        "id": name,
        "display_name": model.id,
        "created_at": model.created.unwrap_or_default().to_string(),
        "lifecycle": lifecycle,
        "retires_at": model.shutdown.map(|day| format!("{day}T00:00:00Z")),
    })
}

/// The names in Anthropic's shape, in the order of the models, each once: where two models would have the
/// same alias, or an alias is another model's name, a number is put behind it.
fn aliases(models: &[Listed]) -> Vec<Cow<'_, str>> {
    let mut taken: BTreeSet<String> = models.iter().map(|model| model.id.clone()).collect();
    let mut names = Vec::with_capacity(models.len());
    for model in models {
        let plain = alias(&model.id);
        if plain == model.id {
            names.push(Cow::Borrowed(model.id.as_str()));
            continue;
        }
        let mut free = plain.clone();
        let mut number = 2_u32;
        while !taken.insert(free.clone()) {
            free = format!("{plain}-{number}");
            number += 1;
        }
        names.push(Cow::Owned(free));
    }
    names
}

/// A name that clients of Anthropic take: the model's own if it is one, else with `claude-mains-` before it
/// and a hyphen for whatever is neither a letter, a digit, a dot nor a hyphen.
fn alias(id: &str) -> String {
    let lower = id.to_ascii_lowercase();
    if lower.starts_with("claude") || lower.starts_with("anthropic") {
        return id.to_owned();
    }
    let plain = lower.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' });
    format!("claude-mains-{}", plain.collect::<String>())
}

/// The model of that name or alias; a name wins over an alias.
pub fn find<'a>(models: &'a [Listed], asked: &str) -> Option<&'a Listed> {
    let named = models.iter().find(|model| model.id == asked);
    named.or_else(|| {
        let at = aliases(models).iter().position(|alias| alias == asked)?;
        models.get(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(ids: &[&str]) -> Vec<Listed> {
        let listed = |id: &&str| Listed {
            id: (*id).into(),
            owned_by: "openai".into(),
            created: None,
            shutdown: Day::parse("2026-12-24").filter(|_| id.contains("dying")),
        };
        ids.iter().map(listed).collect()
    }

    fn read(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    const TODAY: &str = "2026-11-24";

    fn list(ids: &[&str], query: &str) -> (Vec<String>, Value) {
        let value = read(&anthropic_list(&models(ids), &Page::from_query(query), Day::parse(TODAY).unwrap()));
        let names =
            value["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap().to_owned());
        (names.collect(), value)
    }

    #[test]
    fn the_openai_shape_says_when_a_model_ends() {
        let value = read(&openai_list(&models(&["gpt-4o-mini", "dying"])));
        assert_eq!(value["object"], "list");
        assert_eq!(value["data"][0]["shutdown_date"], Value::Null);
        assert_eq!(value["data"][1]["shutdown_date"], "2026-12-24");
        assert_eq!(read(&openai_one(&models(&["a"])[0]))["object"], "model");
    }

    #[test]
    fn the_anthropic_shape_has_aliases_and_each_leads_back() {
        let ids = ["claude-sonnet-5", "Groq/openai/gpt-oss-20b", "groq:openai-gpt-oss-20b", "dying"];
        let (names, value) = list(&ids, "limit=1000");
        assert_eq!(
            names,
            [
                "claude-sonnet-5",
                "claude-mains-groq-openai-gpt-oss-20b",
                "claude-mains-groq-openai-gpt-oss-20b-2",
                "claude-mains-dying"
            ]
        );
        assert_eq!(value["data"][3]["lifecycle"], "deprecated");
        assert_eq!(value["data"][3]["retires_at"], "2026-12-24T00:00:00Z");
        assert_eq!(
            (value["has_more"].as_bool(), value["last_id"].as_str()),
            (Some(false), Some("claude-mains-dying"))
        );
        let all = models(&ids);
        for (name, id) in names.iter().zip(ids) {
            assert_eq!(find(&all, name).map(|model| model.id.as_str()), Some(id));
            assert_eq!(find(&all, id).map(|model| model.id.as_str()), Some(id));
        }
        assert_eq!(find(&all, "claude-mains-none"), None);
    }

    #[test]
    fn pages_follow_each_other() {
        let ids = ["claude-a", "claude-b", "claude-c", "claude-d"];
        let (names, value) = list(&ids, "limit=2");
        assert_eq!(
            (names, value["has_more"].as_bool()),
            (vec!["claude-a".to_owned(), "claude-b".to_owned()], Some(true))
        );
        let (names, value) = list(&ids, "limit=2&after_id=claude%2Db");
        assert_eq!(
            (names, value["has_more"].as_bool()),
            (vec!["claude-c".to_owned(), "claude-d".to_owned()], Some(false))
        );
        let (names, value) = list(&ids, "before_id=claude-d&limit=2");
        assert_eq!(
            (names, value["has_more"].as_bool()),
            (vec!["claude-b".to_owned(), "claude-c".to_owned()], Some(true))
        );
        let (names, value) = list(&[], "limit=0&beta=true");
        assert_eq!((names.len(), &value["first_id"], &value["last_id"]), (0, &Value::Null, &Value::Null));
        let (names, _) = list(&ids, "after_id=claude-d");
        assert!(names.is_empty());
    }

    #[test]
    fn a_query_is_read_whatever_it_is() {
        assert_eq!(decoded("a%2Fb+c%zz%4"), "a/b c%zz%4");
        assert_eq!(Page::from_query("limit=abc&&=&%").limit, 20);
        assert_eq!(Page::from_query("limit=5000").limit, 1000);
    }
}
