//! The operating system's randomness: the only source of keys, peppers and names that nobody may guess.

use crate::HostError;
use mains_units::{RequestId, Timestamp};

/// A right to draw from the operating system's generator. It cannot be made out of a seed:
///
/// ```compile_fail
/// let chance = mains_units::Chance::from_seed(1);
/// let entropy: mains_host::Entropy = chance.into();
/// ```
///
/// ```compile_fail
/// let entropy = mains_host::Entropy(());
/// ```
#[derive(Debug, Clone)]
pub struct Entropy(());

impl Entropy {
    /// Waits until the generator is ready, which early at boot it may not be, and draws once to know
    /// that it works.
    pub fn system() -> Result<Self, HostError> {
        let entropy = Self(());
        entropy.bytes::<1>()?;
        Ok(entropy)
    }

    /// 32 bytes that nobody can guess: a key, a pepper, a commitment key, a signing seed.
    pub fn key(&self) -> Result<[u8; 32], HostError> {
        self.bytes()
    }

    /// A name for a request that came at this moment. 48 bits are random: a thousand requests in one millisecond meet
    /// by chance with odds of 1 in 2^29.
    pub fn request_id(&self, at: Timestamp) -> Result<RequestId, HostError> {
        Ok(RequestId::at(at, self.bytes()?))
    }

    /// A seed for [`mains_units::Chance`], for jitter and sampling. The way back does not exist.
    pub fn seed(&self) -> Result<u64, HostError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    #[expect(clippy::unused_self, reason = "whoever draws must hold the right to")]
    fn bytes<const N: usize>(&self) -> Result<[u8; N], HostError> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(|error| {
            HostError::new(format!("the operating system gives no randomness: {error}"))
                .hint("Mains needs `getrandom` or `/dev/urandom`; a sandbox may forbid both")
        })?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ() {
        let entropy = Entropy::system().unwrap();
        let keys: std::collections::HashSet<_> = (0..100).map(|_| entropy.key().unwrap()).collect();
        assert_eq!(keys.len(), 100);
        let ids: std::collections::HashSet<_> =
            (0..100).map(|_| entropy.request_id(Timestamp(0)).unwrap()).collect();
        assert_eq!(ids.len(), 100);
        assert_ne!(entropy.seed().unwrap(), entropy.seed().unwrap());
    }
}
