//! The flags of `mains distill route`.

use super::SwapRequests;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct DistillRoute {
    /// Recorded answers: CSV with a header, or JSON objects a line where the name ends in `.jsonl`; or the folder of a
    /// test by `mains swap test`, beside `--requests` or `--route` as that test had them: its candidate is the weak model,
    /// its old one the strong one
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) asked: SwapRequests,
    /// Folder of the outlet, whose key signed the test
    #[arg(long, default_value = ".mains", env = "MAINS_DATA")]
    pub(crate) data: PathBuf,
    /// Column of the text
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    pub(crate) text: String,
    /// Column of the weak model's quality: 0 to 1, or true and false
    #[arg(long, value_name = "COLUMN", default_value = "weak")]
    pub(crate) weak: String,
    /// Column of the strong model's quality
    #[arg(long, value_name = "COLUMN", default_value = "strong")]
    pub(crate) strong: String,
    /// Column of what the text belongs to, a subject or a customer; `group` where there is one
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Columns of what each answer cost, in one currency: weak, strong; with `--agree` first, second, big
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) costs: Vec<String>,
    /// Learn from sentence embeddings too; `mains model pull all-minilm-l6-v2` fetches what that needs
    #[arg(long, conflicts_with = "agree")]
    pub(crate) embeddings: bool,
    /// Columns of the answers of two cheap models: what is it worth to take an answer on which they agree, and to ask
    /// the big one otherwise?
    #[arg(long, value_name = "FIRST,SECOND", value_delimiter = ',', num_args = 1, requires = "big")]
    pub(crate) agree: Vec<String>,
    /// Column of the big model's answer
    #[arg(long, value_name = "COLUMN", requires = "agree")]
    pub(crate) big: Option<String>,
    /// Column of the true answer
    #[arg(long, value_name = "COLUMN", requires = "agree")]
    pub(crate) truth: Option<String>,
    /// Decides which rows teach and which are drawn for the intervals
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print a JSON document
    #[arg(long)]
    pub(crate) json: bool,
}
