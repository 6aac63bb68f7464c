//! What tells the architectures apart that this engine runs: one record each. All are a stack of root-mean-square
//! norms, grouped attention with rotary positions and a SwiGLU feed-forward part; names are those of the GGUF format.
//!
//! Facts: the tensors and the pairs of the rotation as llama.cpp's converter and loader have them for these names
//! (2026-11), the forward passes those of `transformers`, against which small models are tested.

use crate::Error;

/// An architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Architecture {
    /// Its name in a file; its metadata begin with it.
    pub name: &'static str,
    /// Which models are of it.
    pub families: &'static str,
    /// Which numbers of a head rotate together.
    pub pairs: Pairs,
    /// Whether queries, keys and values have a bias.
    pub biases: bool,
    /// Whether each head of queries and keys is normed before it rotates.
    pub head_norms: bool,
}

/// Which numbers of a head rotate together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// `2 i` and `2 i + 1`: the converter has reordered the rows of queries and keys so.
    Neighbours,
    /// `i` and half a head further.
    Halves,
}

/// All architectures that are run.
pub const ALL: &[Architecture] = &[
    Architecture {
        name: "llama",
        families: "Llama 2 and 3, Mistral, SmolLM 2",
        pairs: Pairs::Neighbours,
        biases: false,
        head_norms: false,
    },
    Architecture {
        name: "qwen2",
        families: "Qwen 2 and 2.5",
        pairs: Pairs::Halves,
        biases: true,
        head_norms: false,
    },
    Architecture { name: "qwen3", families: "Qwen 3", pairs: Pairs::Halves, biases: false, head_norms: true },
];

/// The architecture of this name; others are refused by name.
pub(super) fn find(name: &str) -> Result<&'static Architecture, Error> {
    ALL.iter().find(|architecture| architecture.name == name).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|architecture| architecture.name).collect();
        Error::unsupported(format!("models of architecture `{name}` are not run here"))
            .hint(format!("run here: {}; or use a llama.cpp server as an upstream", known.join(", ")))
    })
}
