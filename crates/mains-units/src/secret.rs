//! Text that must not be printed.

use std::fmt;
use zeroize::Zeroizing;

/// A key, a password, a pepper. `Debug` shows nothing of it, there is no `Display`, and its bytes are
/// overwritten when the last owner drops it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself; the name of this method is what a reviewer searches for.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        assert!(!format!("{:?}", Secret::new("sk-abc".into())).contains("abc"));
    }
}
