//! Counting tasks that must end before the outlet does.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts tasks in flight and waits for their end; no more than `most` at once.
#[derive(Debug, Clone)]
pub struct Tracker {
    places: Arc<Semaphore>,
    most: u32,
}

impl Tracker {
    /// Room for so many tasks.
    pub fn new(most: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// A place, or none when all are taken. Dropping it gives it back.
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// How many tasks are in flight.
    pub fn in_flight(&self) -> usize {
        (self.most as usize).saturating_sub(self.places.available_permits())
    }

    /// Waits until every task has ended.
    pub async fn all_ended(&self) {
        let _ = self.places.acquire_many(self.most).await;
    }
}
