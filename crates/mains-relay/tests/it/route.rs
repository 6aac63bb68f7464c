//! The choice of targets.

use mains_relay::route::{
    Allowed, Asked, Candidate, Capabilities, Degraded, Facts, Place, Route, Skip, Target, Why, choose,
};
use mains_relay::{Choice, Fault, Lamp};
use mains_units::{Chance, Instant, ModelId};
use std::collections::BTreeMap;
use std::sync::Arc;

const NOW: Instant = Instant(1_000);
const FINE: Facts = Facts { can: Capabilities::ALL, retired: false, priced: true, lamp: Lamp::Closed };
const ANY: Asked<'static> = Asked { allowed: &Allowed::All, needs: Capabilities::NONE, priced_only: false };

fn one(upstream: &str) -> Place {
    Place::One(Arc::new(Target::new(upstream, "m")))
}

fn open(until: u64) -> Facts {
    Facts { lamp: Lamp::Open { until: Instant(until), because: Fault::Unavailable }, ..FINE }
}

fn route(places: Vec<Place>) -> Route {
    Route::new(ModelId::new("gpt-4o-mini"), places)
}

fn run(route: &Route, asked: &Asked<'_>, facts: &[(&str, Facts)]) -> Choice {
    let facts: BTreeMap<_, _> = facts.iter().copied().collect();
    let known = |target: &Target| *facts.get(&*target.upstream).unwrap_or(&FINE);
    choose(route, asked, known, NOW, &mut Chance::from_seed(1))
}

fn names(choice: &Choice) -> Vec<&str> {
    choice.candidates.iter().map(|candidate| &*candidate.target.upstream).collect()
}

fn skipped(choice: &Choice) -> Vec<(&str, Skip)> {
    choice.skipped.iter().map(|skipped| (&*skipped.target.upstream, skipped.why)).collect()
}

#[test]
fn the_order_stands_and_every_skip_has_its_reason() {
    let route = route(["a", "b", "c", "d", "e", "f"].map(one).to_vec());
    let names_allowed = route.targets().filter(|t| &*t.upstream != "b").map(|t| t.name.clone()).collect();
    let allowed = Allowed::Only(names_allowed);
    let needs = Capabilities::TOOLS.and(Capabilities::IMAGES);
    let asked = Asked { allowed: &allowed, needs, priced_only: true };
    let facts = [
        ("c", Facts { can: Capabilities::IMAGES, ..FINE }),
        ("d", Facts { priced: false, ..FINE }),
        ("e", Facts { retired: true, ..FINE }),
    ];
    let choice = run(&route, &asked, &facts);
    assert_eq!(names(&choice), ["a", "f"]);
    assert_eq!(
        skipped(&choice),
        [
            ("b", Skip::Forbidden),
            ("c", Skip::Lacks(Capabilities::TOOLS)),
            ("d", Skip::NoPrice),
            ("e", Skip::Retired)
        ]
    );
    assert_eq!(choice.skipped[1].why.to_string(), "it cannot do: tools");
}

#[test]
fn a_resting_target_is_skipped_but_never_the_last() {
    let route = route(["a", "b"].map(one).to_vec());
    let choice = run(&route, &ANY, &[("a", open(9_000))]);
    assert_eq!(names(&choice), ["b"]);
    let choice = run(&route, &ANY, &[("a", open(9_000)), ("b", open(5_000))]);
    assert_eq!(names(&choice), ["b"], "the one that wakes first");
    assert_eq!(choice.candidates[0].why, Why::LeastBad { until: Instant(5_000) });
    assert_eq!(skipped(&choice), [("a", Skip::Resting { until: Instant(9_000) })]);
}

#[test]
fn a_retired_target_is_asked_only_when_it_is_the_only_one() {
    let route = route(["a", "b"].map(one).to_vec());
    let retired = Facts { retired: true, ..FINE };
    let choice = run(&route, &ANY, &[("a", retired), ("b", open(9_000))]);
    assert_eq!(names(&choice), ["b"], "resting is better than retired");
    let dead = Facts { lamp: Lamp::Dead, ..FINE };
    let choice = run(&route, &ANY, &[("a", retired), ("b", dead)]);
    assert_eq!((names(&choice), choice.candidates[0].why), (vec!["a"], Why::OnlyOne));
}

#[test]
fn what_is_forbidden_or_degraded_is_no_last_resort() {
    let local = Target { substitute: true, ..Target::new("here", "smollm2") };
    let mut route = route(vec![one("a"), Place::One(Arc::new(local))]);
    let nobody = Allowed::Only(std::iter::empty().collect());
    assert!(run(&route, &Asked { allowed: &nobody, ..ANY }, &[]).candidates.is_empty());

    let choice = run(&route, &ANY, &[("a", open(9_000))]);
    assert_eq!(names(&choice), ["a"], "an outage must not turn into wrong answers");
    assert_eq!(skipped(&choice), [("here", Skip::Degraded)]);

    route.degraded = Degraded::Allow;
    let choice = run(&route, &ANY, &[("a", open(9_000))]);
    assert_eq!(names(&choice), ["here"]);
    assert!(choice.candidates[0].degraded);
}

#[test]
fn a_pool_is_drawn_by_weight_and_its_members_follow_each_other() {
    let member = |name: &str, weight| (Arc::new(Target::new(name, "m")), weight);
    let pool = Place::Pool(vec![member("a", 3), member("b", 1), member("spare", 0)]);
    let route = route(vec![pool, one("z")]);
    let mut chance = Chance::from_seed(7);
    let mut first_a = 0;
    for _ in 0..4_000 {
        let choice = choose(&route, &ANY, |_| FINE, NOW, &mut chance);
        let order = names(&choice);
        assert_eq!(order[2..], ["spare", "z"], "weight zero last of its pool, then the next place");
        first_a += u32::from(order[0] == "a");
    }
    assert!((2_880..3_120).contains(&first_a), "{first_a} of 4000 with weight 3 of 4");
    let choice =
        choose(&route, &ANY, |t| if &*t.upstream == "a" { open(5_000) } else { FINE }, NOW, &mut chance);
    let Candidate { why, .. } = choice.candidates[0];
    assert_eq!((names(&choice)[0], why), ("b", Why::Drawn { weight: 1, of: 1 }));
}
