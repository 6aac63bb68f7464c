//! Verifiers that we did not write.
