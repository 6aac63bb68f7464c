//! What is read of the outlet over HTTP: models, requests with their proofs, the files of the ledger.

use crate::front::text;
use crate::http::ReplyBody;
use crate::outlet::Outlet;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use mains_ledger::note::VerifierKey;
use mains_store::db::{RequestFilter, RequestRow};
use mains_units::RequestId;
use mains_wire::models::{self, Listed, Page};
use serde_json::{Value, json};
use std::sync::Arc;

const JSON: &str = "application/json";

/// `GET /v1/models`, in the shape that the client's headers ask for.
pub(crate) fn models(outlet: &Outlet, request: &Request<Incoming>) -> Response<ReplyBody> {
    let listed = listed(outlet);
    let body = if wants_anthropic(request) {
        let page = Page::from_query(request.uri().query().unwrap_or_default());
        models::anthropic_list(&listed, &page, outlet.today())
    } else {
        models::openai_list(&listed)
    };
    bytes(body)
}

/// `GET /v1/models/{id}`.
pub(crate) fn model(outlet: &Outlet, request: &Request<Incoming>, id: &str) -> Response<ReplyBody> {
    let listed = listed(outlet);
    let id = id.replace("%2F", "/").replace("%2f", "/");
    match models::find(&listed, &id) {
        Some(found) if wants_anthropic(request) => bytes(models::anthropic_one(found, &id, outlet.today())),
        Some(found) => bytes(models::openai_one(found)),
        None => {
            let missing = json!({"error": {"message": format!("no route for the model `{id}`"), "type": "invalid_request_error", "param": "model", "code": "model_not_found"}});
            text(StatusCode::NOT_FOUND, JSON, missing.to_string())
        }
    }
}

fn wants_anthropic(request: &Request<Incoming>) -> bool {
    request.headers().contains_key("anthropic-version")
}

fn bytes(body: Vec<u8>) -> Response<ReplyBody> {
    let mut response = text(StatusCode::OK, JSON, String::new());
    *response.body_mut() = ReplyBody::whole(body);
    response
}

/// Every route, with the day on which its first target ends.
fn listed(outlet: &Outlet) -> Vec<Listed> {
    let live = outlet.live();
    let routes = live.settings.routes.iter().filter_map(|described| live.routes.get(&described.model.value));
    routes
        .map(|route| {
            let first = route.route.targets().next();
            let facts = first.and_then(|target| live.targets.get(&target.name));
            Listed {
                id: route.route.model.to_string(),
                owned_by: first.map_or_else(|| "mains".to_owned(), |target| target.upstream.to_string()),
                created: None,
                shutdown: facts.and_then(|facts| facts.ends_on),
            }
        })
        .collect()
}

/// `GET /mains/v1/…`: what is our own.
pub(crate) async fn ours(
    outlet: &Arc<Outlet>,
    rest: &str,
    request: &Request<Incoming>,
) -> Response<ReplyBody> {
    if let Some(path) = rest.strip_prefix("ledger/") {
        return ledger_file(outlet, path).await;
    }
    if let Some(id) = rest.strip_prefix("requests/") {
        return one(outlet, id).await;
    }
    match rest {
        "requests" => page(outlet, request.uri().query().unwrap_or_default()).await,
        "budgets" => budgets(outlet),
        _ => missing("there is nothing at this path"),
    }
}

fn missing(what: &str) -> Response<ReplyBody> {
    text(StatusCode::NOT_FOUND, JSON, json!({"error": {"message": what}}).to_string())
}

fn trouble(what: &str) -> Response<ReplyBody> {
    text(StatusCode::INTERNAL_SERVER_ERROR, JSON, json!({"error": {"message": what}}).to_string())
}

/// Tiles, bundles and checkpoint, at the paths of the specification.
async fn ledger_file(outlet: &Arc<Outlet>, path: &str) -> Response<ReplyBody> {
    let (outlet, path) = (Arc::clone(outlet), path.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        if path == "key" {
            return Some(outlet.verifier().to_string().into_bytes());
        }
        outlet.ledger_reader.file(&path)
    });
    match read.await {
        Ok(Some(body)) => {
            let mut response = text(StatusCode::OK, "application/octet-stream", String::new());
            *response.body_mut() = ReplyBody::whole(body);
            response
        }
        _ => missing("the ledger has no such file (a checkpoint is signed each second)"),
    }
}

async fn one(outlet: &Arc<Outlet>, id: &str) -> Response<ReplyBody> {
    let Some(id) = RequestId::parse(id) else { return missing("this is no request id") };
    // Who asks for a request has just read its answer: its record is queued, and is waited for.
    if let Err(error) = outlet.settled().await {
        return trouble(&error.to_string());
    }
    match outlet.db.request(id).await {
        Ok(Some(row)) => {
            let mut body = shown(&row);
            let (outlet, leaf) = (Arc::clone(outlet), row.outcome);
            let proof = tokio::task::spawn_blocking(move || leaf.and_then(|leaf| prove(&outlet, leaf).ok()));
            body["proof"] = proof.await.ok().flatten().map_or(Value::Null, Value::String);
            text(StatusCode::OK, JSON, body.to_string())
        }
        Ok(None) => missing("no record of this request (yet)"),
        Err(error) => trouble(&error.to_string()),
    }
}

async fn page(outlet: &Outlet, query: &str) -> Response<ReplyBody> {
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    let limit = value("limit").and_then(|text| text.parse().ok()).unwrap_or(100).clamp(1, 1_000);
    let before = value("before").and_then(|text| text.parse().ok());
    let filter = RequestFilter { route: value("route"), target: value("target"), ..RequestFilter::default() };
    match outlet.db.requests(filter, before, limit).await {
        Ok(page) => {
            let rows: Vec<Value> = page.rows.iter().map(shown).collect();
            text(
                StatusCode::OK,
                JSON,
                json!({"schema": "mains.requests/1", "requests": rows, "next": page.next}).to_string(),
            )
        }
        Err(error) => trouble(&error.to_string()),
    }
}

fn budgets(outlet: &Outlet) -> Response<ReplyBody> {
    let readings = outlet.shared().budgets.readings(outlet.clock.now());
    let rows: Vec<Value> = readings
        .iter()
        .map(|reading| {
            json!({
                "scope": reading.cap.scope.to_string(),
                "per": reading.cap.per.to_string(),
                "quantity": reading.cap.quantity,
                "unit": reading.cap.quantity.unit(),
                "limit": reading.cap.limit,
                "used": reading.used,
                "held": reading.held,
            })
        })
        .collect();
    text(StatusCode::OK, JSON, json!({"schema": "mains.budgets/1", "budgets": rows}).to_string())
}

/// A record as JSON. What is unknown is `null`.
pub(crate) fn shown(row: &RequestRow) -> Value {
    let range =
        |range: mains_units::Range| json!({"low": range.low, "central": range.central, "high": range.high});
    json!({
        "id": row.id.to_string(),
        "at": row.at.to_string(),
        "key": row.key_id,
        "project": row.project,
        "dialect": row.dialect,
        "streamed": row.streamed,
        "asked": row.asked,
        "route": row.route,
        "target": row.target,
        "provider": row.provider,
        "model": row.model,
        "result": row.result,
        "status": row.status,
        "attempts": row.attempts,
        "usage": row.usage,
        "cost_usd": row.cost.map(|cost| cost.to_string().trim_start_matches('$').to_owned()),
        "energy_j": row.footprint.map(|footprint| range(footprint.energy_j)),
        "co2_g": row.footprint.map(|footprint| range(footprint.co2_g)),
        "water_l": row.footprint.map(|footprint| range(footprint.water_l)),
        "grade": row.footprint.map(|footprint| footprint.grade),
        "duration_ms": row.duration.as_s_f64() * 1e3,
        "first_token_ms": row.first_token.map(|span| span.as_s_f64() * 1e3),
        "intents": row.intents,
        "outcome": row.outcome,
        "losses": row.losses,
        "degraded": row.degraded,
        "stand_in": row.stand_in,
        "canary": row.canary.as_ref().map(|canary| json!({
            "arm": if canary.new { "new" } else { "old" }, "share_ppm": canary.share_ppm, "report": canary.report,
        })),
    })
}

/// The proof that a leaf is in the log, in the tlog-proof format, against the newest checkpoint on disk.
pub(crate) fn prove(outlet: &Outlet, leaf: u64) -> Result<String, String> {
    let key: &VerifierKey = outlet.verifier();
    let signed = outlet.ledger_reader.checkpoint(key).map_err(|error| error.to_string())?;
    if leaf >= signed.checkpoint.size {
        return Err(format!("leaf {leaf} is not signed yet; a checkpoint is signed each second"));
    }
    outlet
        .ledger_reader
        .prove(leaf, &signed, key)
        .map(|proof| proof.to_text())
        .map_err(|error| error.to_string())
}

/// `POST /v1/messages/count_tokens`: passed on to an Anthropic target where the route has one. It is free and
/// touches no budget, so it leaves no record either.
pub(crate) async fn count_tokens(outlet: &Outlet, request: Request<Incoming>) -> Response<ReplyBody> {
    let (most, within) = outlet.body_limits();
    let (head, body) = request.into_parts();
    let Ok(bytes) = crate::http::read::whole(body, most, within).await else {
        return anthropic_error(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            "the body could not be read",
        );
    };
    let model = mains_wire::edit::peek(mains_wire::Dialect::AnthropicMessages, &bytes)
        .ok()
        .and_then(|peek| peek.model);
    let live = outlet.live();
    let route = model.as_deref().and_then(|model| live.route(model, outlet.catalog, outlet.today()));
    let counted = route.and_then(|(route, extra)| {
        let mut targets = route.route.targets().filter_map(|target| live.facts(&target.name, &extra));
        targets.find(|facts| facts.upstream.provider.speaks(mains_wire::Dialect::AnthropicMessages))
    });
    let Some(facts) = counted else {
        // Claude Code estimates by itself when it reads 404.
        return anthropic_error(
            StatusCode::NOT_FOUND,
            "not_found_error",
            "no target of this model counts tokens",
        );
    };
    match crate::network::forward_count(outlet, &facts, &head.headers, &bytes).await {
        Some((status, body)) => {
            let mut response = text(status, JSON, String::new());
            *response.body_mut() = ReplyBody::whole(body);
            response
        }
        None => anthropic_error(StatusCode::BAD_GATEWAY, "api_error", "the provider did not answer"),
    }
}

fn anthropic_error(status: StatusCode, kind: &str, message: &str) -> Response<ReplyBody> {
    text(status, JSON, json!({"type": "error", "error": {"type": kind, "message": message}}).to_string())
}
