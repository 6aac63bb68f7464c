//! Models that the code asks for and that have a route, worst first, and how each is asked.

use super::super::plan::Plan;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use mains_catalog::{Catalog, ModelKind};
use mains_scan::report::{ModelGroup, Report};
use mains_scan::{Class, Scope};
use mains_serve::live::{Live, Upstream};
use mains_serve::outlet::Outlet;
use mains_wire::Dialect;
use mains_wire::error::ProviderError;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Substitutes that are shown of one model.
const SUBSTITUTES: usize = 3;

/// A provider that has not answered after this is passed over: the first minute is short.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes of an error that is shown.
const ERROR_BYTES_MAX: usize = 64 << 10;

const WORDS: &str = "Are all circuits on? Answer in one sentence.";

/// A model that has a route.
pub(super) struct Asked<'r> {
    /// As the code writes it.
    pub(super) model: String,
    /// What the scan found; `None` for a route that somebody added.
    group: Option<&'r ModelGroup>,
}

/// All of them: first what the scan found, worst first, then what else has a route.
pub(super) fn all<'r>(report: &'r Report, plan: &Plan) -> Vec<Asked<'r>> {
    let mut all: Vec<Asked<'r>> = Vec::new();
    for group in report.models.iter().filter(|group| group.is_asked_for()) {
        let places = group.places.iter().filter(|at| at.class == Class::Use && at.scope == Scope::Product);
        for at in places {
            if plan.models.contains(&at.text) && all.iter().all(|asked| asked.model != at.text) {
                all.push(Asked { model: at.text.clone(), group: Some(group) });
            }
        }
    }
    for model in &plan.models {
        if all.iter().all(|asked| asked.model != *model) {
            all.push(Asked { model: model.clone(), group: None });
        }
    }
    all
}

impl Asked<'_> {
    pub(super) fn is_dead(&self) -> bool {
        self.group.is_some_and(|group| group.state == "retired")
    }

    fn kind(&self) -> ModelKind {
        let catalog = Catalog::builtin();
        let found = catalog.lookup(self.host(), &self.model).into_first();
        found.map_or(ModelKind::Unknown, |found| found.model.kind)
    }

    fn host(&self) -> Option<&str> {
        self.group.and_then(|group| group.host.as_deref())
    }

    /// ` (video)`; nothing for conversations, which are the rule.
    pub(super) fn kind_in_brackets(&self) -> String {
        match self.kind() {
            ModelKind::Chat | ModelKind::Completion | ModelKind::Unknown => String::new(),
            kind => format!(" ({})", kind.name()),
        }
    }

    /// Path and body of a request as the application would send it; `None` for what the outlet does not relay.
    pub(super) fn question(&self) -> Option<(&'static str, Value)> {
        let model = &self.model;
        match self.kind() {
            ModelKind::Embedding => {
                Some(("/v1/embeddings", json!({"model": model, "input": "a red bicycle"})))
            }
            ModelKind::Chat | ModelKind::Completion | ModelKind::Unknown => {
                let path =
                    if self.host() == Some("anthropic") { "/v1/messages" } else { "/v1/chat/completions" };
                let messages = json!([{"role": "user", "content": WORDS}]);
                Some((path, json!({"model": model, "max_tokens": 60, "messages": messages})))
            }
            _ => None,
        }
    }

    /// Path below the root and body of a request for a film or a picture, which the outlet does not relay and a
    /// provider of OpenAI's dialects takes.
    pub(super) fn medium(&self) -> Option<(&'static str, Value)> {
        let prompt = "a slow turn around a red bicycle";
        match self.kind() {
            ModelKind::Video => {
                Some(("/videos", json!({"model": self.model, "prompt": prompt, "seconds": "8"})))
            }
            ModelKind::Image => Some(("/images/generations", json!({"model": self.model, "prompt": prompt}))),
            _ => None,
        }
    }

    /// The first place in the code that breaks with it.
    pub(super) fn place(&self) -> Option<String> {
        let at = self.group?.places.iter().find(|at| at.class == Class::Use && at.text == self.model)?;
        Some(format!("{}:{}, {}", at.file, at.line, at.why))
    }

    pub(super) fn substitutes(&self) -> Vec<String> {
        let substitutes = self.group.map_or(&[][..], |group| &group.substitutes);
        substitutes
            .iter()
            .take(SUBSTITUTES)
            .map(|it| format!("{}/{} ({})", it.host, it.id, it.kind))
            .collect()
    }
}

/// The account at which a model was served while it lived.
pub(super) struct Provider(Arc<Upstream>);

impl Provider {
    pub(super) fn of(asked: &Asked<'_>, live: &Live) -> Option<Self> {
        let host = asked.host()?;
        let mut own = live.upstreams.values().filter(|upstream| upstream.host.as_deref() == Some(host));
        own.next().map(|upstream| Self(Arc::clone(upstream)))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    /// Asks for the model itself, without the outlet's help: a status and what was said.
    pub(super) async fn ask(&self, outlet: &Outlet, asked: &Asked<'_>) -> Option<(u16, String)> {
        let upstream = &self.0;
        let dialect = match asked.kind() {
            ModelKind::Embedding => Dialect::OpenaiEmbeddings,
            _ => upstream.dialect_for(Dialect::OpenaiChat)?,
        };
        let target = upstream.request(dialect, &asked.model).ok()?;
        let (url, body) = if let Some((_, body)) = asked.question() {
            (target.url, body)
        } else {
            // Films and pictures have paths of their own beside that of conversations.
            let (path, body) = asked.medium()?;
            (target.url.replace("/chat/completions", path), body)
        };
        let mut request = Request::post(url);
        for (name, value) in &target.headers {
            request = request.header(*name, value);
        }
        if let Some((name, secret)) = &target.auth {
            request = request.header(*name, secret.expose());
        }
        let request = request.body(Full::new(Bytes::from(body.to_string()))).ok()?;
        let asking = async {
            let reply = outlet.network.send(&upstream.way, request).await.ok()?;
            let status = reply.status().as_u16();
            let body = Limited::new(reply.into_body(), ERROR_BYTES_MAX).collect().await.ok()?.to_bytes();
            Some((status, ProviderError::read(status, None, &body).message))
        };
        tokio::time::timeout(PATIENCE, asking).await.ok()?
    }
}
