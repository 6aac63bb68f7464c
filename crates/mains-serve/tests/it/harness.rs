//! A scripted upstream, an outlet before it, and a client. Every port is 0, every folder temporary.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use mains_host::{Clock, Entropy};
use mains_ledger::Hash;
use mains_meter::local::Processor;
use mains_serve::control::{Answer, Command, say};
use mains_serve::http::ReplyBody;
use mains_serve::http::listen::{Bounds, serve};
use mains_serve::local::Local;
use mains_serve::open::{self, Surroundings};
use mains_serve::outlet::Outlet;
use mains_serve::run::{Reread, Run, run};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The encoder that a worker of local models has, and the hash of its weights.
pub(crate) const ENCODER: &str = "all-minilm-l6-v2";
pub(crate) const ENCODER_HASH: Hash = Hash([9; 32]);

/// What an upstream does with a request, by the model's name in it.
pub(crate) type Script = fn(&Value) -> Act;

/// One behaviour of an upstream.
pub(crate) enum Act {
    /// A whole reply.
    Reply(u16, &'static [(&'static str, &'static str)], String),
    /// Pieces of a body; `true` ends it cleanly, `false` breaks the connection.
    Pieces(Vec<String>, bool),
    /// Never answers.
    Silent,
}

/// A scripted upstream.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    task: JoinHandle<usize>,
}

impl Upstream {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let asked = Arc::new(AtomicUsize::new(0));
        let bounds =
            Bounds { connections_max: 10_000, head_timeout: Duration::from_secs(30), drain: Duration::ZERO };
        let counter = Arc::clone(&asked);
        let task = tokio::spawn(serve(listener, bounds, stopped, move |request, _| {
            answer(request, script, Arc::clone(&counter))
        }));
        Self { address, asked, stop, task }
    }

    /// Kills it: open connections are cut, new ones refused.
    pub(crate) async fn kill(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(request: Request<Incoming>, script: Script, asked: Arc<AtomicUsize>) -> Response<ReplyBody> {
    asked.fetch_add(1, Ordering::SeqCst);
    let body =
        request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let question: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    match script(&question) {
        Act::Reply(status, headers, text) => {
            let mut response = Response::new(ReplyBody::whole(text));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response.headers_mut().insert("content-type", "application/json".parse().unwrap());
            for (name, value) in headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        }
        Act::Pieces(pieces, clean) => {
            let (sender, body) = ReplyBody::pieces();
            tokio::spawn(async move {
                for piece in pieces {
                    if sender.send(piece.into()).await.is_err() {
                        return;
                    }
                }
                if !clean {
                    // Held open until the outlet gives up or the upstream is killed.
                    sender.closed().await;
                }
            });
            let mut response = Response::new(body);
            response.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
            response
        }
        Act::Silent => std::future::pending().await,
    }
}

/// An ordinary answer of an OpenAI-compatible upstream, plain or streamed as asked.
pub(crate) fn ordinary(question: &Value) -> Act {
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14});
    if question["stream"] == true {
        let chunk = |delta: Value, finish: Value| {
            format!(
                "data: {}\n\n",
                json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": question["model"], "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
            )
        };
        let mut pieces = vec![
            chunk(json!({"role": "assistant", "content": ""}), Value::Null),
            chunk(json!({"content": "All "}), Value::Null),
            chunk(json!({"content": "circuits on"}), Value::Null),
            chunk(json!({}), json!("stop")),
        ];
        if question["stream_options"]["include_usage"] == true {
            pieces.push(format!("data: {}\n\n", json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": question["model"], "choices": [], "usage": usage})));
        }
        pieces.push("data: [DONE]\n\n".into());
        return Act::Pieces(pieces, true);
    }
    Act::Reply(200, &[], json!({"id": "c", "object": "chat.completion", "created": 1, "model": question["model"], "choices": [{"index": 0, "message": {"role": "assistant", "content": "All circuits on"}, "finish_reason": "stop"}], "usage": usage}).to_string())
}

/// An outlet that runs.
pub(crate) struct Running {
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) address: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
    config: Arc<Mutex<String>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<usize, String>>,
}

impl Running {
    /// `config` without `[serve]`; `serve` are further lines of it.
    pub(crate) async fn start(serve: &str, config: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), serve, config).await
    }

    /// The same, in the folder of an outlet that has stopped.
    pub(crate) async fn start_in(folder: tempfile::TempDir, serve: &str, config: &str) -> Self {
        Self::start_around(folder, serve, config, None).await
    }

    /// The same, with a worker of local models, which has [`ENCODER`].
    pub(crate) async fn start_around(
        folder: tempfile::TempDir,
        serve: &str,
        config: &str,
        local: Option<Local>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let text = format!("[serve]\nlisten = \"{address}\"\n{serve}\n{config}");
        let config = Arc::new(Mutex::new(text));
        let clock = Clock::start();
        let base = folder.path().to_path_buf();
        let reread: Reread = {
            let (config, base) = (Arc::clone(&config), base.clone());
            Arc::new(move || {
                let text = config.lock().unwrap().clone();
                let settings =
                    mains_config::parse(&text, "mains.toml").map_err(|errors| errors.to_string())?;
                open::live(settings, &base, clock.now().day())
            })
        };
        let live = reread().unwrap_or_else(|error| panic!("{error}"));
        let around = Surroundings {
            data: base.join("data"),
            vault_key: Some(base.join("state/vault.key")),
            base,
            clock,
            entropy: Entropy::system().unwrap(),
            weights: local.iter().map(|_| (ENCODER.to_owned(), ENCODER_HASH)).collect(),
            local,
            processor: Processor::unknown(2.0),
            stand_ins: Vec::new(),
            as_of: None,
        };
        let outlet = Arc::new(open::open(live, around).unwrap_or_else(|error| panic!("{error}")));
        let (stop, stopped) = watch::channel(false);
        let data_folder = folder.path().join("data");
        let task = tokio::spawn(run(
            Run { outlet: Arc::clone(&outlet), data: listener, admin: None, folder: data_folder, reread },
            stopped,
        ));
        // The control socket is there before the first answer.
        assert_eq!(get(&client(), address, "/livez").await.status, 200);
        Self { outlet, address, folder, config, stop, task }
    }

    /// Changes the configuration and has it read again.
    pub(crate) async fn reload(&self, change: impl FnOnce(&str) -> String) -> Answer {
        let changed = change(&self.config.lock().unwrap());
        *self.config.lock().unwrap() = changed;
        say(&self.folder.path().join("data"), &Command::Reload).await.unwrap()
    }

    pub(crate) fn ledger(&self) -> mains_store::log::LogReader {
        mains_store::log::LogReader::at(&self.folder.path().join("data/ledger"))
    }

    /// Stops it in order and verifies its ledger; the leaves are returned.
    pub(crate) async fn finish(self) -> Vec<Value> {
        self.stop_in(|_| ()).await.0
    }

    /// Stops it in order and leaves its folder.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        let _ = self.stop.send(true);
        self.task.await.unwrap().unwrap();
        self.folder
    }

    /// The same, with a look at the folder before it goes.
    pub(crate) async fn stop_in<T>(self, look: impl FnOnce(&std::path::Path) -> T) -> (Vec<Value>, T) {
        let _ = self.stop.send(true);
        let (key, reader) = (self.outlet.verifier().clone(), self.ledger());
        self.task.await.unwrap().unwrap();
        let report =
            reader.verify(&key).unwrap_or_else(|fault| panic!("the ledger does not verify: {fault}"));
        let signed = reader.checkpoint(&key).unwrap();
        assert_eq!(report.unsigned(), 0, "closed in order, everything is signed");
        let leaves = (0..signed.checkpoint.size)
            .map(|index| serde_json::from_slice(&reader.leaf(index, &signed).unwrap()).unwrap());
        (leaves.collect(), look(self.folder.path()))
    }

    /// Every record in the store, the newest first.
    pub(crate) async fn records(&self) -> Vec<mains_store::db::RequestRow> {
        self.outlet.settled().await.unwrap();
        let mut rows = Vec::new();
        let mut before = None;
        loop {
            let page = self
                .outlet
                .db
                .requests(mains_store::db::RequestFilter::default(), before, 1_000)
                .await
                .unwrap();
            rows.extend(page.rows);
            match page.next {
                Some(next) => before = Some(next),
                None => return rows,
            }
        }
    }
}

/// What a client got.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) type Http = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn client() -> Http {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

pub(crate) async fn post(client: &Http, address: SocketAddr, path: &str, body: impl Into<Bytes>) -> Got {
    let request = Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/json")
        .header("anthropic-version", "2023-06-01")
        .body(Full::new(body.into()))
        .unwrap();
    send(client, request).await
}

pub(crate) async fn send(client: &Http, request: Request<Full<Bytes>>) -> Got {
    let reply = client.request(request).await.unwrap();
    let (head, body) = reply.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Got { status: head.status.as_u16(), headers: head.headers, body }
}

pub(crate) async fn get(client: &Http, address: SocketAddr, path: &str) -> Got {
    send(client, Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap()).await
}

/// A chat request.
pub(crate) fn chat(model: &str, stream: bool) -> String {
    json!({"model": model, "messages": [{"role": "user", "content": "Are all circuits on?"}], "stream": stream, "max_tokens": 20}).to_string()
}

/// Two upstreams and one route over both.
pub(crate) fn two(first: SocketAddr, second: SocketAddr) -> String {
    format!(
        "[[upstream]]\nname = \"a\"\nprovider = \"openai\"\nbase_url = \"http://{first}/v1\"\n\
         [[upstream]]\nname = \"b\"\nprovider = \"openai\"\nbase_url = \"http://{second}/v1\"\n\
         [[route]]\nmodel = \"m\"\ntargets = [\"a/gpt-4o-mini\", \"b/gpt-4o-mini\"]\n"
    )
}

/// One upstream and one route.
pub(crate) fn one(upstream: SocketAddr) -> String {
    format!(
        "[[upstream]]\nname = \"a\"\nprovider = \"openai\"\nbase_url = \"http://{upstream}/v1\"\n\
         [[route]]\nmodel = \"m\"\ntargets = [\"a/gpt-4o-mini\"]\n"
    )
}
