//! A handful of requests as the application would send them, and what became of them.

use super::plan::{Absent, Plan};
use crate::client::{Client, Reply};
use crate::print::{self, Trouble};
use crate::verbs::ledger::Log;
use mains_catalog::{Catalog, ModelKind};
use mains_serve::outlet::Outlet;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Requests of the tour at most; the page shows the rest.
const REQUESTS: usize = 6;

/// Sends, shows, proves.
pub(super) async fn show(
    base: &str,
    plan: &Plan,
    stand_ins: &[(Absent, SocketAddr)],
    outlet: &Arc<Outlet>,
    data: &Path,
) -> Result<(), Trouble> {
    print::data(&print::bold("3  A death, survived"));
    let client = Client::new(base, None);
    for model in plan.models.iter().take(REQUESTS) {
        let Some(question) = question(model) else {
            print::data(&format!(
                "   {model}  is no conversation and no embedding: the outlet does not serve it; the report above says what is left"
            ));
            continue;
        };
        without_mains(model, &question, stand_ins).await?;
        with_mains(&client, model, &question).await?;
    }
    print::data(&format!("\n{}", print::bold("4  Proof")));
    outlet.settled().await?;
    let ledger = Arc::clone(outlet);
    tokio::task::spawn_blocking(move || ledger.ledger.flush()).await??;
    prove(data)?;
    print::data(&format!("\n{}", print::bold("5  Yours")));
    let model = plan.models.first().map_or("MODEL", String::as_str);
    print::data(&format!(
        "   curl {base}/v1/chat/completions -H 'content-type: application/json' \\\n        -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'\n   OPENAI_BASE_URL={base}/v1        # the OpenAI SDKs\n   ANTHROPIC_BASE_URL={base}         # the Anthropic SDKs\n   mains drill --target TARGET --data {}   # kill one on purpose\n   mains model pull smollm2-135m-instruct  # a small local model (98 MB, Apache-2.0), if you want one",
        data.display()
    ));
    Ok(())
}

/// Path and body of a request; `None` for what the outlet does not speak, as video.
type Question = (&'static str, Value);

fn question(model: &str) -> Option<Question> {
    let catalog = Catalog::builtin();
    let kind = catalog.lookup(None, model).into_first().map(|found| found.model.kind);
    match kind {
        Some(ModelKind::Embedding) => {
            Some(("/v1/embeddings", json!({"model": model, "input": "all circuits on"})))
        }
        None | Some(ModelKind::Chat | ModelKind::Completion | ModelKind::Unknown) => {
            let words = "Are all circuits on? Answer in one sentence.";
            let messages = json!([{"role": "user", "content": words}]);
            Some(("/v1/chat/completions", json!({"model": model, "max_tokens": 60, "messages": messages})))
        }
        Some(_) => None,
    }
}

/// What the application meets today, asking the provider itself. Only stand-ins are asked: a real account would pay.
async fn without_mains(
    model: &str,
    question: &Question,
    stand_ins: &[(Absent, SocketAddr)],
) -> Result<(), Trouble> {
    let owner = Catalog::builtin().owner(model).map(|host| host.id.to_string());
    let Some((absent, address)) =
        stand_ins.iter().find(|(absent, _)| Some(&absent.provider) == owner.as_ref())
    else {
        return Ok(());
    };
    let (path, body) = question;
    let direct = Client::new(format!("http://{address}"), None);
    let path = if absent.provider == "anthropic" { "/v1/messages" } else { path };
    let reply = direct.post(path, body).await?;
    if reply.status != 200 {
        print::data(&format!("   {model}  asked at {} itself: HTTP {}", absent.provider, reply.status));
        print::data(&format!("      “{}”", reply.json()["error"]["message"].as_str().unwrap_or("no reason")));
    }
    Ok(())
}

async fn with_mains(client: &Client, model: &str, question: &Question) -> Result<(), Trouble> {
    let (path, body) = question;
    let reply = client.post(path, body).await?;
    if reply.status != 200 {
        let why = reply.json()["error"]["message"].as_str().unwrap_or("no reason").to_owned();
        print::data(&format!("   {model}  through the outlet: HTTP {}\n      “{why}”", reply.status));
        return Ok(());
    }
    let stand_in = if reply.header("x-mains-stand-in").is_empty() { "" } else { "  (stand-in)" };
    print::data(&format!(
        "   {model}  through the outlet: answered by {}{stand_in}",
        reply.header("x-mains-target")
    ));
    print::data(&format!("      {}", cost(&reply)));
    Ok(())
}

/// The cost in four units, each with range and grade, as the headers say it.
fn cost(reply: &Reply) -> String {
    let money = match reply.header("x-mains-cost-usd") {
        "" => "money unknown".to_owned(),
        cost => format!("${cost}"),
    };
    if reply.header("x-mains-energy-j").is_empty() {
        return format!("{money} · energy, carbon and water unknown");
    }
    let range = |name: &str, unit: &str| format!("{} {unit}", reply.header(name).replace("..", " to "));
    format!(
        "{money} · {} · {} CO2e · {} of water · grade {}",
        range("x-mains-energy-j", "J"),
        range("x-mains-co2-g", "g"),
        range("x-mains-water-ml", "mL"),
        reply.header("x-mains-grade")
    )
}

/// The ledger verifies, and a copy with one bit turned does not.
fn prove(data: &Path) -> Result<(), Trouble> {
    let report = Log::open(data)?
        .verify()
        .map_err(|fault| Trouble::new(format!("the ledger does not verify: {fault}")))?;
    print::data(&format!(
        "   the ledger verifies: {} leaves, every tile, bundle and signature recomputed",
        report.leaves
    ));
    let copy = std::env::temp_dir().join(format!("mains-tampered-{}", std::process::id()));
    copy_folder(data, &copy)?;
    let turned = turn_one_bit(&copy.join("ledger"))?;
    let verified = Log::open(&copy)?.verify();
    let _ = std::fs::remove_dir_all(&copy);
    match verified {
        Err(fault) => {
            print::data(&format!("   a copy with one bit turned in {turned} does not: {fault}"));
            Ok(())
        }
        Ok(_) => Err(Trouble::new("a tampered copy of the ledger was not noticed; please report this")),
    }
}

fn copy_folder(data: &Path, copy: &Path) -> Result<(), Trouble> {
    let mut folders = vec![PathBuf::from("ledger")];
    std::fs::create_dir_all(copy)?;
    std::fs::copy(data.join(mains_serve::open::LEDGER_PUBLIC), copy.join(mains_serve::open::LEDGER_PUBLIC))?;
    while let Some(folder) = folders.pop() {
        std::fs::create_dir_all(copy.join(&folder))?;
        for entry in std::fs::read_dir(data.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                std::fs::copy(entry.path(), copy.join(&path))?;
            }
        }
    }
    Ok(())
}

/// Turns the lowest bit in the middle of the journal.
fn turn_one_bit(ledger: &Path) -> Result<String, Trouble> {
    let path = ledger.join("journal");
    let mut bytes = std::fs::read(&path)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    std::fs::write(&path, bytes)?;
    Ok(format!("`journal` (byte {middle})"))
}
