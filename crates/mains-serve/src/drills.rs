//! Targets that are dead on purpose, until a moment.

use crate::live::TargetFacts;
use mains_units::Instant;
use std::sync::{Mutex, PoisonError};

/// The drills under way.
#[derive(Debug, Default)]
pub struct Drills(Mutex<Vec<(String, Instant)>>);

impl Drills {
    /// Kills a target (`upstream/model`) or a whole upstream (`upstream`) until then.
    pub fn kill(&self, name: &str, until: Instant) {
        self.list().push((name.to_owned(), until));
    }

    /// Ends a drill before its time.
    pub fn end(&self, name: &str) {
        self.list().retain(|(dead, _)| dead != name);
    }

    /// Whether a drill keeps this target dead.
    pub fn is_dead(&self, facts: &TargetFacts, now: Instant) -> bool {
        let mut list = self.list();
        if list.is_empty() {
            return false;
        }
        list.retain(|(_, until)| *until > now);
        list.iter().any(|(dead, _)| matches(dead, &facts.upstream.name, &facts.model))
    }

    /// What is dead now.
    pub fn under_way(&self, now: Instant) -> Vec<String> {
        self.list().iter().filter(|(_, until)| *until > now).map(|(name, _)| name.clone()).collect()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<(String, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a drill on `dead` concerns this target.
pub fn matches(dead: &str, upstream: &str, model: &str) -> bool {
    match dead.split_once('/') {
        None => dead == upstream,
        Some((of, what)) => of == upstream && what == model,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_or_one_of_its_targets_can_be_killed() {
        assert!(matches("openai", "openai", "gpt-4o"));
        assert!(matches("groq/openai/gpt-oss-20b", "groq", "openai/gpt-oss-20b"));
        assert!(!matches("openai/gpt-4o", "openai", "gpt-4o-mini"));
        assert!(!matches("groq", "openai", "groq"));
    }
}
