//! A route while one target gives way to another.

use super::{Candidate, Place, Route, Target, TargetName, Why};
use std::sync::Arc;

/// Which of two targets a coin chose for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// The old one.
    Old,
    /// The new one.
    New,
}

impl Route {
    /// Gives `new` so many of each hundred requests that would go to `old`; whoever is not drawn is the other's first
    /// substitute. At 100 and more `new` has the place and `old` stands behind it. Where `new` stood elsewhere in the
    /// route it is taken out first, so that it is never asked twice. `false`, and nothing changed, where `old` is not in
    /// the route.
    pub fn shift(&mut self, old: &TargetName, new: &Arc<Target>, percent: u8) -> bool {
        if !self.targets().any(|target| target.name == *old) || *old == new.name {
            return false;
        }
        self.remove(&new.name);
        let mut places = Vec::with_capacity(self.places.len() + 1);
        for place in std::mem::take(&mut self.places) {
            let members = match place {
                Place::One(target) => vec![(target, 1)],
                Place::Pool(members) => members,
            };
            let Some((was, _)) = members.iter().find(|(target, _)| target.name == *old) else {
                places.push(whole(members));
                continue;
            };
            let was = Arc::clone(was);
            places.push(whole(shared(members, old, new, percent.min(100))));
            if percent >= 100 {
                places.push(Place::One(was));
            }
        }
        self.places = places;
        true
    }

    /// Puts `new` in the place of `old`.
    pub fn replace(&mut self, old: &TargetName, new: &Arc<Target>) -> bool {
        let done = self.shift(old, new, 100);
        if done {
            self.remove(old);
        }
        done
    }

    fn remove(&mut self, name: &TargetName) {
        for place in &mut self.places {
            if let Place::Pool(members) = place {
                members.retain(|(target, _)| target.name != *name);
            }
        }
        self.places.retain(|place| match place {
            Place::One(target) => target.name != *name,
            Place::Pool(members) => !members.is_empty(),
        });
    }
}

/// A pool of one is a place of its own.
fn whole(mut members: Vec<(Arc<Target>, u32)>) -> Place {
    match members.pop() {
        Some((target, _)) if members.is_empty() => Place::One(target),
        Some(last) => {
            members.push(last);
            Place::Pool(members)
        }
        None => Place::Pool(members),
    }
}

fn shared(
    members: Vec<(Arc<Target>, u32)>,
    old: &TargetName,
    new: &Arc<Target>,
    percent: u8,
) -> Vec<(Arc<Target>, u32)> {
    let (mut all, percent) = (Vec::with_capacity(members.len() + 1), u32::from(percent));
    for (target, weight) in members {
        if target.name == *old {
            if percent < 100 {
                all.push((target, weight.saturating_mul(100 - percent)));
            }
            if percent > 0 {
                all.push((Arc::clone(new), weight.saturating_mul(percent)));
            }
        } else {
            all.push((target, weight.saturating_mul(100)));
        }
    }
    all
}

/// Which of the two comes first among candidates, and at which place; `None` unless both are there and their order was
/// drawn. Given that both are there, the new one comes first with its share, whatever else is in the pool: an order
/// drawn by weight without putting back orders any two members by their own weights alone.
pub fn drawn(candidates: &[Candidate], old: &TargetName, new: &TargetName) -> Option<(Drawn, usize)> {
    let place = |name: &TargetName| candidates.iter().position(|candidate| candidate.target.name == *name);
    let (old, new) = (place(old)?, place(new)?);
    let by_draw = |place: usize| matches!(candidates.get(place).map(|c| c.why), Some(Why::Drawn { .. }));
    if !by_draw(old) || !by_draw(new) {
        return None;
    }
    Some(if new < old { (Drawn::New, new) } else { (Drawn::Old, old) })
}
