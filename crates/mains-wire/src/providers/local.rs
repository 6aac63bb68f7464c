//! The worker of this outlet: models in our own binary, asked in the neutral form. No dialect, no network.

use super::{Auth, Provider};
use crate::tap::CachedTokens;
use std::borrow::Cow;

pub(super) static LOCAL: Provider = Provider {
    name: Cow::Borrowed("local"),
    base_url: Cow::Borrowed(""),
    root: "",
    key_variable: Cow::Borrowed(""),
    auth: Auth::None,
    endpoints: &[],
    queried: &[],
    headers: &[],
    cached: CachedTokens::WithinInput,
    takes_stream_options: false,
    quirks: &[],
    faults: &[],
    tried_live: true,
    network: false,
};
