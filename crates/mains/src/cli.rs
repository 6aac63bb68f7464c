//! The verbs and their flags.

mod distill;
mod distill_route;
mod swap;

pub(crate) use distill::{
    Distill, DistillExport, DistillGrade, DistillImport, DistillTrain, DistillUse, Embeddings, HeadsOf,
    Label, PromiseOf, RowFormat,
};
pub(crate) use distill_route::DistillRoute;
pub(crate) use swap::{Swap, SwapGrade, SwapGrader, SwapPlan, SwapRequests, SwapSwitch, SwapTest};

use crate::print::Color;
use clap::{Args, Parser, Subcommand, ValueEnum};
use mains_units::Timestamp;
use std::path::PathBuf;

/// The wall outlet for machine learning: find what dies, switch to what lives, prove it.
///
/// No telemetry, no update check: nothing leaves this machine but the requests that you route.
#[derive(Debug, Parser)]
#[command(name = "mains", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Scan, plan and serve in one: what a newcomer runs first
    Up(Up),
    /// Find what a code base asks of AI, what of it dies when, and the backup plan
    Scan(Scan),
    /// Serve the routes of mains.toml
    Serve(Serve),
    /// Kill a target on purpose and report who survived
    Drill(Drill),
    /// Read and check the tamper-evident record
    #[command(subcommand)]
    Ledger(Ledger),
    /// Read, export and erase kept requests and answers
    #[command(subcommand)]
    Records(Records),
    /// Fetch, list and run local models
    #[command(subcommand)]
    Model(Model),
    /// What is known of models: prices, dates, sizes, each with its source
    #[command(subcommand)]
    Catalog(Catalog),
    /// What a call would cost in money, energy, carbon and water
    Estimate(Estimate),
    /// Find a replacement for a model, test it on your own requests, switch, go back, prove it
    #[command(subcommand)]
    Swap(Swap),
    /// From the answers of a big model to a small local labeller with a certificate
    #[command(subcommand)]
    Distill(Distill),
    /// Label texts with a labeller: label, confidence, and whether to ask the big model instead
    Label(Box<Label>),
    /// Make, list and revoke keys for clients
    #[command(subcommand)]
    Key(Key),
    /// Check, show and reload the configuration
    #[command(subcommand)]
    Config(Config),
    /// Print how to point a client at the outlet
    Connect(Connect),
    /// Check ports, clock, store, ledger and keys
    Doctor(Doctor),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// The process that runs local models (started by the outlet itself)
    #[command(hide = true)]
    Worker,
    /// A scripted server that answers for a provider in its own dialect; it exists for tests and demonstrations
    #[command(hide = true)]
    StandIn(StandIn),
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// The code base to scan; without it a bundled example application
    pub(crate) path: Option<PathBuf>,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:2300")]
    pub(crate) listen: std::net::SocketAddr,
    /// Folder for plan, store and ledger
    #[arg(long, default_value = ".mains")]
    pub(crate) data: PathBuf,
    /// The day to judge by, instead of today
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
    /// Do not open the page in a browser
    #[arg(long)]
    pub(crate) no_open: bool,
    /// End after the demonstration instead of staying up
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A page to read
    #[default]
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Markdown, for a pull request
    Markdown,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of the verb")]
pub(crate) struct Scan {
    /// The tree to scan
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// The day to judge by, instead of today
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
    /// How many days ahead a death counts as a finding
    #[arg(long, default_value_t = 90, value_name = "DAYS")]
    pub(crate) horizon: u32,
    /// Write the backup plan, a ready mains.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Overwrite an existing plan
    #[arg(long, requires = "write")]
    pub(crate) force: bool,
    /// Also show mentions, lists, tests and ignored places
    #[arg(long)]
    pub(crate) all: bool,
    /// Exit with 0 even when something was found
    #[arg(long)]
    pub(crate) exit_zero: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration; without it `mains.toml` here or above, then the user's, then the system's
    #[arg(long, short, env = "MAINS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen, instead of what the file says
    #[arg(long, env = "MAINS_LISTEN")]
    pub(crate) listen: Option<String>,
    /// Folder for store and ledger, instead of what the file says
    #[arg(long, env = "MAINS_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The day by which models live and end, instead of today: to rehearse the day when one dies
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Drill {
    /// The target to kill: a whole target (`openai/gpt-4o`) or an upstream (`openai`)
    #[arg(long)]
    pub(crate) target: String,
    /// Requests to send, one JSON body a line; without it built-in ones for every route of the target
    #[arg(long, value_name = "FILE")]
    pub(crate) requests: Option<PathBuf>,
    /// How many requests to send to each route
    #[arg(long, default_value_t = 10)]
    pub(crate) count: u32,
    /// Folder of the running outlet
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the outlet's folder is.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// Folder of the outlet
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Recompute every tile and bundle, the checkpoint and the journal's tail
    Verify(Data),
    /// Print leaves
    Show {
        /// Index of the first leaf; without it the last ones
        #[arg(long)]
        from: Option<u64>,
        /// How many
        #[arg(long, default_value_t = 10)]
        count: u64,
        /// Only leaves of this type: `swap`, `drill`, `outcome` …
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        #[command(flatten)]
        data: Data,
    },
    /// Write a proof that one leaf is in the log, in the tlog-proof format
    Prove {
        /// Index of the leaf, or a request's name (`req_…`)
        leaf: String,
        #[command(flatten)]
        data: Data,
    },
}

/// Where kept content and its key are.
#[derive(Debug, Args)]
pub(crate) struct Vault {
    /// Folder of the outlet
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
    /// The configuration, which may name the key's file; without it the one that `serve` would find
    #[arg(long, short, env = "MAINS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Records {
    /// How much is kept, and since when
    Stats {
        #[command(flatten)]
        vault: Vault,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print kept exchanges in the clear, one JSON a line, the oldest first
    Export {
        /// Only of this route
        #[arg(long)]
        route: Option<String>,
        /// Only of this project
        #[arg(long)]
        project: Option<String>,
        /// Not before this day or moment (UTC)
        #[arg(long, value_name = "TIME", value_parser = crate::settings::moment)]
        since: Option<Timestamp>,
        /// Before this day or moment (UTC)
        #[arg(long, value_name = "TIME", value_parser = crate::settings::moment)]
        until: Option<Timestamp>,
        /// At most so many
        #[arg(long)]
        limit: Option<u64>,
        #[command(flatten)]
        vault: Vault,
    },
    /// Destroy the keys of one request in the running outlet: its content, and what ties its leaves to it
    Erase {
        /// Its name (`req_…`)
        request: String,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Model {
    /// Models that can be fetched, and those that are here
    List {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model: size and hash are checked before it is used
    Pull {
        /// Its name
        name: String,
    },
    /// What a model file holds
    Show {
        /// Its name, or a path to a GGUF file
        name: String,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Ask a model once, here
    Run {
        /// Its name, or a path to a GGUF file
        name: String,
        /// The question
        prompt: String,
        /// Most tokens to answer with
        #[arg(long, default_value_t = 128)]
        max_tokens: u32,
        /// 0 is greedy
        #[arg(long, default_value_t = 0.0)]
        temperature: f32,
        /// Seed of the sampling
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Threads; without it one per core
        #[arg(long)]
        threads: Option<usize>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Catalog {
    /// Everything known of a model at every host
    Show {
        /// The model, in any spelling
        model: String,
        /// Only this host
        #[arg(long)]
        host: Option<String>,
        /// The day to judge by, instead of today
        #[arg(long, value_name = "YYYY-MM-DD")]
        as_of: Option<String>,
        /// A file with your own facts
        #[arg(long, value_name = "FILE")]
        overlay: Option<PathBuf>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// What a file with your own facts changes
    Diff {
        /// The file
        overlay: PathBuf,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Estimate {
    /// The model, in any spelling
    pub(crate) model: String,
    /// Where it runs; without it the model's owner
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// Input tokens
    #[arg(long, default_value_t = 1000)]
    pub(crate) input: u64,
    /// Output tokens
    #[arg(long, default_value_t = 400)]
    pub(crate) output: u64,
    /// Grid zone (three letters, as `USA`, `FRA`); without it the provider's
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// How many such requests
    #[arg(long, default_value_t = 1)]
    pub(crate) requests: u64,
    /// Print each formula with its numbers and sources
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key; it is shown once
    Make {
        /// What the key is for
        name: String,
        /// The project that pays
        #[arg(long, default_value = "default")]
        project: String,
        #[command(flatten)]
        data: Data,
    },
    /// List keys
    List(Data),
    /// Revoke a key
    Revoke {
        /// Its id, as `list` prints it
        id: String,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check a configuration without starting
    Check {
        /// The file; without it the one that `serve` would find
        file: Option<PathBuf>,
    },
    /// Print every setting with where it comes from
    Show {
        /// The file; without it the one that `serve` would find
        file: Option<PathBuf>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Make a running outlet read its file again; a bad file changes nothing
    Reload(Data),
}

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// Which client; without it all that are known
    pub(crate) client: Option<String>,
    /// Address of the outlet
    #[arg(long, default_value = "http://127.0.0.1:2300")]
    pub(crate) url: String,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The configuration
    #[arg(long, short, env = "MAINS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StandIn {
    /// The provider that it speaks like: `openai`, `anthropic`, or a host of the catalogue
    #[arg(long)]
    pub(crate) provider: String,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// The day that decides which models are dead, instead of today
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
}
