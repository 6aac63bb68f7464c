//! Processes that run beside a test, and a client that speaks plain HTTP to them. Nothing here waits for time to
//! pass: a process is ready when it says so.

use super::{Ran, mains};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

/// The day by which stand-ins judge.
pub(crate) const DAY: &str = "2026-11-24";

/// A process that ends with the test.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts `mains` with these words in a folder.
    pub(crate) fn start(folder: &Path, words: &[&str]) -> Self {
        let mut command = mains(folder);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// Reads stdout until a line holds this, and gives that line.
    #[track_caller]
    pub(crate) fn out_until(&mut self, wanted: &str) -> String {
        until(&mut self.out, wanted)
    }

    /// Reads stderr until a line holds this, and gives that line.
    #[track_caller]
    pub(crate) fn err_until(&mut self, wanted: &str) -> String {
        until(&mut self.err, wanted)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits for the end, and gives the code with all that was not read yet.
    pub(crate) fn ended(mut self) -> Ran {
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.err.read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code, out, err }
    }
}

#[track_caller]
fn until(reader: &mut impl BufRead, wanted: &str) -> String {
    let mut all = String::new();
    loop {
        let before = all.len();
        let read = reader.read_line(&mut all).unwrap();
        assert!(read > 0, "no line holds `{wanted}`:\n{all}");
        if all[before..].contains(wanted) {
            return all[before..].trim_end().to_owned();
        }
    }
}

/// The `127.0.0.1:PORT` of a line.
pub(crate) fn address(line: &str) -> String {
    let start = line.find("127.0.0.1:").unwrap_or_else(|| panic!("no address in: {line}"));
    let rest = &line[start..];
    let length = rest.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b':')).count();
    rest[..length].to_owned()
}

/// A reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// A header; empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// One request on a connection of its own.
#[track_caller]
pub(crate) fn http(address: &str, method: &str, path: &str, key: Option<&str>, body: &str) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    let key = key.map_or_else(String::new, |key| format!("authorization: Bearer {key}\r\n"));
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n{key}content-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn get(address: &str, path: &str) -> Reply {
    http(address, "GET", path, None, "")
}

/// A question to a model.
pub(crate) fn ask(address: &str, model: &str, key: Option<&str>) -> Reply {
    let body = serde_json::json!({"model": model, "messages": [{"role": "user", "content": "hello"}]});
    http(address, "POST", "/v1/chat/completions", key, &body.to_string())
}

/// Two stand-ins and an outlet before them.
pub(crate) struct Outlet {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) process: Running,
    pub(crate) address: String,
    _stand_ins: [Running; 2],
}

impl Outlet {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With more lines in its configuration.
    pub(crate) fn start_with(more: &str) -> Self {
        let folder = super::temporary();
        let stand_in = |provider: &str| {
            let words = ["stand-in", "--provider", provider, "--as-of", DAY];
            let mut running = Running::start(folder.path(), &words);
            let address = address(&running.out_until("listens at"));
            (running, address)
        };
        let (openai, at_openai) = stand_in("openai");
        let (anthropic, at_anthropic) = stand_in("anthropic");
        let config = format!(
            r#"
[serve]
listen = "127.0.0.1:0"
data = "data"
[[upstream]]
name = "openai"
provider = "openai"
base_url = "http://{at_openai}/v1"
[[upstream]]
name = "anthropic"
provider = "anthropic"
base_url = "http://{at_anthropic}/v1"
[[route]]
model = "gpt-4o-mini"
targets = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"]
[[route]]
model = "gpt-3.5-turbo"
targets = ["openai/gpt-3.5-turbo", "openai/gpt-4o-mini"]
[[route]]
model = "alone"
targets = ["openai/gpt-4o"]
[[route]]
model = "text-embedding-3-small"
targets = ["openai/text-embedding-3-small"]
{more}"#
        );
        std::fs::write(folder.path().join("mains.toml"), config).unwrap();
        let mut process = Running::start(folder.path(), &["serve"]);
        let address = address(&process.err_until("mains serves"));
        Self { folder, process, address, _stand_ins: [openai, anthropic] }
    }

    /// Runs a verb on the outlet's folder.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let words: Vec<&str> = words.iter().copied().chain(["--data", "data"]).collect();
        super::run(self.folder.path(), &words)
    }

    pub(crate) fn ask(&self, model: &str) -> Reply {
        ask(&self.address, model, None)
    }
}
