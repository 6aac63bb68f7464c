//! A route while one target gives way to another.

use super::{Choice, Place, Route, Skip, Target, TargetName, Why};
use mains_units::Chance;
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

/// How the coin fell between two targets of which `new` has so many of a hundred requests, and the place of the drawn
/// one among the candidates; no place where it was drawn and its breaker rests, so that it fails this request.
///
/// Where both can be asked, the route's own draw is the coin: an order drawn by weight without putting back orders any
/// two members by their own weights alone. Where one of them rests, that draw left it no chance, and a coin is thrown for
/// it. `None` where one of them could not have been asked for another reason, which says nothing of how it answers.
pub fn drawn(
    choice: &Choice,
    old: &TargetName,
    new: &TargetName,
    percent: u8,
    chance: &mut Chance,
) -> Option<(Drawn, Option<usize>)> {
    let (old, new) = (standing(choice, old)?, standing(choice, new)?);
    let drawn = match (old, new) {
        (Standing::At(old), Standing::At(new)) if new < old => Drawn::New,
        (Standing::At(_), Standing::At(_)) => Drawn::Old,
        _ if chance.below(100) < u64::from(percent) => Drawn::New,
        _ => Drawn::Old,
    };
    let place = match if drawn == Drawn::New { new } else { old } {
        Standing::At(place) => Some(place),
        Standing::Rests => None,
    };
    Some((drawn, place))
}

/// How a target of a switch stands among the candidates.
#[derive(Clone, Copy)]
enum Standing {
    /// It was drawn to this place.
    At(usize),
    /// Its breaker rests, or its model is dead.
    Rests,
}

/// `None` where it could not have been asked for another reason.
fn standing(choice: &Choice, name: &TargetName) -> Option<Standing> {
    let place = choice.candidates.iter().position(|candidate| candidate.target.name == *name);
    if let Some(place) = place {
        return match choice.candidates.get(place)?.why {
            Why::Drawn { .. } => Some(Standing::At(place)),
            Why::LeastBad { .. } | Why::OnlyOne => Some(Standing::Rests),
            Why::Order | Why::Agree => None,
        };
    }
    let skipped = choice.skipped.iter().find(|skipped| skipped.target.name == *name)?;
    matches!(skipped.why, Skip::Resting { .. } | Skip::Retired).then_some(Standing::Rests)
}
