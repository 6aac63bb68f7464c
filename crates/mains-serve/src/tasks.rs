//! Counting tasks that must end before the outlet does.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to be in flight; whoever holds it is waited for at the end.
pub type Place = OwnedSemaphorePermit;

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

    /// A place; none when all are taken for the whole of `patience`. Dropping it gives it back.
    pub async fn enter(&self, patience: Duration) -> Option<Place> {
        let place = Arc::clone(&self.places).acquire_owned();
        tokio::time::timeout(patience, place).await.ok().and_then(Result::ok)
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
