//! Hosts that speak OpenAI's dialects, as the catalogue's data names them. Not one was tried live.

use super::{Auth, CHAT, EMBEDDINGS, Provider, Quirk};
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

impl Provider {
    /// A record made from data: chat completions and embeddings under the base address, the key as a bearer
    /// token. `base_url` is used as it is, root included. What is known of the host's own spellings and
    /// quirks, by its name, is put in.
    pub fn compatible(
        name: impl Into<Cow<'static, str>>,
        base_url: impl Into<Cow<'static, str>>,
        key_variable: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        let known = HOSTS.iter().find(|host| host.names.contains(&name.as_ref()));
        let key_variable = key_variable.into();
        Self {
            auth: if key_variable.is_empty() { Auth::None } else { Auth::Bearer },
            name,
            base_url: base_url.into(),
            root: "",
            key_variable,
            endpoints: &[CHAT, EMBEDDINGS],
            queried: &[],
            headers: &[],
            cached: CachedTokens::WithinInput,
            takes_stream_options: true,
            quirks: known.map_or(&[], |host| host.quirks),
            faults: known.map_or(&[], |host| host.faults),
            tried_live: false,
            network: true,
        }
    }
}

/// What is known of a host beyond its address.
struct Host {
    /// Its names in the catalogue and elsewhere.
    names: &'static [&'static str],
    quirks: &'static [Quirk],
    faults: &'static [FaultRule],
}

static HOSTS: &[Host] = &[
    Host {
        names: &["groq"],
        quirks: &[Quirk {
            what: "usage of a stream stands in `x_groq.usage` too",
            source: "helicone.ai/changelog/20250326-groq-streaming",
            read: "2026-11-24",
        }],
        faults: &[FaultRule {
            status: Some(400),
            code: "model_decommissioned",
            message: "",
            fault: Fault::RetiredModel,
            source: "github.com/crewAIInc/crewAI/issues/1976 (`llama-3.1-70b-versatile`, 2025-01-26)",
            read: "2026-11-24",
        }],
    },
    Host {
        names: &["together", "togetherai", "together_ai", "together-ai"],
        quirks: &[],
        faults: &[
            FaultRule {
                status: Some(400),
                code: "model_not_available",
                message: "",
                fault: Fault::RetiredModel,
                source: "github.com/HeyPuter/puter/issues/3168",
                read: "2026-11-24",
            },
            FaultRule {
                status: Some(400),
                code: "dedicated_endpoint_not_running",
                message: "",
                fault: Fault::RetiredModel,
                source: "github.com/HeyPuter/puter/issues/3168",
                read: "2026-11-24",
            },
        ],
    },
    Host {
        names: &["deepseek"],
        quirks: &[Quirk {
            what: "cached input is said in `prompt_cache_hit_tokens`, within `prompt_tokens`",
            source: "api-docs.deepseek.com/guides/kv_cache",
            read: "2026-11-24",
        }],
        faults: &[FaultRule {
            status: None,
            code: "",
            message: "insufficient balance",
            fault: Fault::NoCredit,
            source: "github.com/Aider-AI/aider/issues/4851 (2026-02-19)",
            read: "2026-11-24",
        }],
    },
    Host {
        names: &["openrouter"],
        quirks: &[Quirk {
            what: "comments keep a stream alive; an error may come inside a reply of status 200, its `code` a number",
            source: "openrouter.ai/docs/api/reference/errors-and-debugging",
            read: "2026-11-24",
        }],
        faults: &[
            FaultRule {
                status: Some(402),
                code: "402",
                message: "credits",
                fault: Fault::NoCredit,
                source: "github.com/Gitlawb/openclaude/issues/43 (2026-04-01)",
                read: "2026-11-24",
            },
            FaultRule {
                status: Some(404),
                code: "",
                message: "no endpoints found",
                fault: Fault::RetiredModel,
                source: "github.com/Alishahryar1/free-claude-code/issues/974 (2026-07-04)",
                read: "2026-11-24",
            },
        ],
    },
];
