//! OpenAI's models at Microsoft Azure. Each account has its own address, and each model goes by the name
//! of its deployment.
//!
//! The address `https://NAME.openai.azure.com` speaks the version 1 interface, with the deployment in the
//! body. With a query, `https://NAME.openai.azure.com?api-version=2024-10-21`, it speaks the older one, with
//! the deployment in the path.

use super::{Auth, CHAT, EMBEDDINGS, Provider, Quirk, RESPONSES, endpoint};
use crate::Dialect;
use crate::fault::{Fault, FaultRule};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static AZURE: Provider = Provider {
    name: Cow::Borrowed("azure"),
    base_url: Cow::Borrowed(""),
    root: "/openai/v1",
    key_variable: Cow::Borrowed("AZURE_OPENAI_API_KEY"),
    auth: Auth::Header("api-key"),
    endpoints: &[CHAT, RESPONSES, EMBEDDINGS],
    queried: &[
        endpoint(Dialect::OpenaiChat, "/openai/deployments/{model}/chat/completions"),
        endpoint(Dialect::OpenaiEmbeddings, "/openai/deployments/{model}/embeddings"),
    ],
    headers: &[],
    cached: CachedTokens::WithinInput,
    takes_stream_options: true,
    quirks: &[
        Quirk {
            what: "the version 1 interface needs no `api-version`; the deployment is the `model` of the body",
            source: "learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle",
            read: "2026-11-24",
        },
        Quirk {
            what: "a stream may begin with a chunk without choices that holds the filter's findings",
            source: "learn.microsoft.com/answers/questions/1533887 (2024-03-14)",
            read: "2026-11-24",
        },
    ],
    faults: &[FaultRule {
        status: Some(404),
        code: "DeploymentNotFound",
        message: "",
        fault: Fault::RetiredModel,
        source: "github.com/chatboxai/chatbox/issues/646 (2023-05-16)",
        read: "2026-11-24",
    }],
    tried_live: false,
    network: true,
};
