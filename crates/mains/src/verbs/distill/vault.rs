//! Kept records as exchanges: what policy released, read beside the running outlet.

use crate::cli::Vault;
use crate::print::{self, Trouble};
use crate::verbs::records;
use mains_distill::task::Exchange;
use mains_distill::wire;
use mains_serve::keeping::VAULT;
use mains_store::db::{Db, DbOptions};
use mains_store::vault::{self, VaultFilter};
use mains_units::RequestId;
use mains_wire::Dialect;
use serde::Deserialize;
use std::collections::BTreeMap;

const DATABASE: &str = "mains.db";

/// Millijoules of a joule.
const MJ: f64 = 1_000.0;

/// A kept request that a task could hold.
pub(super) struct Kept {
    pub(super) request: String,
    pub(super) exchange: Exchange,
    /// What the provider says that the model ran as.
    pub(super) fingerprint: Option<String>,
    pub(super) ms: Option<u64>,
}

/// What the vault holds.
#[derive(Default)]
pub(super) struct Read {
    pub(super) kept: Vec<Kept>,
    /// Why others are no exchange, with how many.
    pub(super) left_out: BTreeMap<String, u64>,
}

/// Everything kept in a data folder; nothing where nothing is kept.
pub(super) fn read(vault: &Vault) -> Result<Read, Trouble> {
    let mut read = Read::default();
    if !vault.data.join(VAULT).is_dir() {
        return Ok(read);
    }
    let (reader, _) = records::open(vault)?;
    for exchange in reader.exchanges(VaultFilter::default()) {
        match exchange_of(&exchange?) {
            Ok(kept) => read.kept.push(kept),
            Err(why) => *read.left_out.entry(why).or_default() += 1,
        }
    }
    let path = vault.data.join(DATABASE);
    if path.is_file()
        && let Err(error) = took(&path, &mut read.kept)
    {
        print::say(&format!("what the kept answers took is not known: {error}"));
    }
    Ok(read)
}

/// What of a kept exchange a task looks at, or why it can be in none.
fn exchange_of(kept: &vault::Exchange) -> Result<Kept, String> {
    let dialect = Dialect::parse(&kept.dialect).ok_or_else(|| format!("the dialect `{}`", kept.dialect))?;
    if !dialect.is_conversation() {
        return Err(format!("another endpoint (`{dialect}`)"));
    }
    if kept.status != 200 {
        return Err("it failed".into());
    }
    let say = |error: wire::NotPlain| error.to_string();
    let question = wire::read_question(dialect, &kept.asked.bytes).map_err(say)?;
    let asked = wire::asked(&question).map_err(say)?;
    let stream = kept.answer.content_type.starts_with("text/event-stream");
    let answer = wire::read_answer(dialect, stream, &kept.answer.bytes).map_err(say)?;
    // A labeller answers itself: what it said teaches nothing.
    let target = kept.target.as_deref().ok_or("no target is known")?;
    let teacher = target.split_once('/').map_or(target, |(_, model)| model);
    if target.starts_with("label/") {
        return Err("a labeller answered it".into());
    }
    Ok(Kept {
        request: kept.request.to_string(),
        fingerprint: fingerprint(&kept.answer.bytes, stream),
        ms: None,
        exchange: Exchange {
            route: kept.route.clone().unwrap_or_else(|| question.model.clone()),
            fixed: asked.fixed,
            turns: asked.turns,
            answer: wire::answered(&answer).map_err(say)?,
            at: kept.at,
            teacher: teacher.to_owned(),
            nano_usd: None,
            mj: None,
        },
    })
}

/// `system_fingerprint`, which some providers give with an answer or with each piece of it.
fn fingerprint(answer: &[u8], stream: bool) -> Option<String> {
    #[derive(Deserialize)]
    struct Marked {
        system_fingerprint: Option<String>,
    }
    let of = |bytes: &[u8]| serde_json::from_slice::<Marked>(bytes).ok()?.system_fingerprint;
    if !stream {
        return of(answer);
    }
    let lines = answer.split(|byte| *byte == b'\n');
    lines.filter_map(|line| line.strip_prefix(b"data:")).find_map(|data| of(data.trim_ascii()))
}

/// Fills in what each answer took. The database is opened under a pepper that checks no key: none is verified here.
fn took(path: &std::path::Path, kept: &mut [Kept]) -> Result<(), mains_store::db::DbError> {
    let db = Db::open(&DbOptions::file(path, [0; 32]))?;
    for kept in kept {
        let Some(id) = RequestId::parse(&kept.request) else { continue };
        let Some(row) = db.request(id).wait()? else { continue };
        kept.exchange.nano_usd = row.cost.map(|cost| cost.0);
        kept.exchange.mj = row.footprint.and_then(|footprint| whole(footprint.energy_j.central * MJ));
        kept.ms = Some(row.duration.as_ms());
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn whole(value: f64) -> Option<u64> {
    (0.0..9e15).contains(&value).then_some(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mains_store::vault::Body;
    use mains_units::Timestamp;
    use serde_json::{Value, json};

    fn kept(asked: &Value, answer: &[u8], kind: &str) -> vault::Exchange {
        vault::Exchange {
            request: RequestId::parse("req_01a2221f4835b622f0ff7d4b").unwrap(),
            at: Timestamp(5),
            route: Some("intents".into()),
            project: None,
            target: Some("openai/gpt-4o-mini".into()),
            model: Some("gpt-4o-mini-2024-07-18".into()),
            dialect: "openai_chat".into(),
            status: 200,
            asked: Body { content_type: "application/json".into(), bytes: asked.to_string().into_bytes() },
            answer: Body { content_type: kind.into(), bytes: answer.to_vec() },
        }
    }

    fn asked() -> Value {
        json!({"model": "intents", "messages": [{"role": "system", "content": "Label."}, {"role": "user", "content": "x"}]})
    }

    #[test]
    fn whole_and_streamed_answers_come_out_alike() {
        let whole = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "spam"}, "finish_reason": "stop"}]});
        let chunk = |delta: Value, finish: Value| {
            let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "system_fingerprint": "fp_1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
            format!("data: {chunk}\n\n")
        };
        let events = chunk(json!({"role": "assistant", "content": "sp"}), Value::Null)
            + &chunk(json!({"content": "am"}), json!("stop"))
            + "data: [DONE]\n\n";
        let one =
            exchange_of(&kept(&asked(), whole.to_string().as_bytes(), "application/json")).ok().unwrap();
        let other =
            exchange_of(&kept(&asked(), events.as_bytes(), "text/event-stream; charset=utf-8")).ok().unwrap();
        assert_eq!(one.exchange, other.exchange);
        assert_eq!(
            (one.exchange.teacher.as_str(), one.exchange.answer.text.as_str()),
            ("gpt-4o-mini", "spam")
        );
        assert_eq!(one.fingerprint.as_deref(), Some("fp_1"));
        assert_eq!(other.fingerprint.as_deref(), Some("fp_1"));
    }

    #[test]
    fn what_teaches_nothing_is_left_out_with_its_reason() {
        let answer = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "spam"}, "finish_reason": "stop"}]});
        let answer = answer.to_string();
        let mut own = kept(&asked(), answer.as_bytes(), "application/json");
        own.target = Some("label/intents".into());
        let mut failed = kept(&asked(), b"{}", "application/json");
        failed.status = 503;
        let mut other = kept(&asked(), answer.as_bytes(), "application/json");
        other.dialect = "openai_embeddings".into();
        let why = |exchange: &vault::Exchange| exchange_of(exchange).err().unwrap();
        assert_eq!(why(&own), "a labeller answered it");
        assert_eq!(why(&failed), "it failed");
        assert!(why(&other).contains("endpoint"));
    }
}
