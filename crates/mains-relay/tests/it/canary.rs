//! A route while one target gives way to another.

use mains_relay::Lamp;
use mains_relay::route::{
    Allowed, Asked, Capabilities, Choice, Drawn, Facts, Place, Route, Target, choose, drawn,
};
use mains_units::{Chance, Instant, ModelId};
use std::sync::Arc;

const FINE: Facts = Facts { can: Capabilities::ALL, retired: false, priced: true, lamp: Lamp::Closed };
const ANY: Asked<'static> = Asked { allowed: &Allowed::All, needs: Capabilities::NONE, priced_only: false };

fn target(name: &str) -> Arc<Target> {
    Arc::new(Target::new(name, "m"))
}

fn route(places: Vec<Place>) -> Route {
    Route::new(ModelId::new("m"), places)
}

fn spell(route: &Route) -> String {
    let places = route.places.iter().map(|place| match place {
        Place::One(target) => target.upstream.to_string(),
        Place::Pool(members) => {
            let members: Vec<String> =
                members.iter().map(|(target, weight)| format!("{}:{weight}", target.upstream)).collect();
            format!("[{}]", members.join(" "))
        }
    });
    places.collect::<Vec<_>>().join(" ")
}

fn run(route: &Route, chance: &mut Chance) -> Choice {
    choose(route, &ANY, |_| FINE, Instant(1), chance)
}

#[test]
fn the_new_target_takes_its_share_of_the_old_ones_place() {
    let (old, new) = (target("old"), target("new"));
    let plain =
        || route(vec![Place::One(target("first")), Place::One(target("old")), Place::One(target("z"))]);
    let mut some = plain();
    assert!(some.shift(&old.name, &new, 5));
    assert_eq!(spell(&some), "first [old:95 new:5] z");
    let mut whole = plain();
    assert!(whole.shift(&old.name, &new, 100));
    assert_eq!(spell(&whole), "first new old z");
    let mut gone = plain();
    assert!(gone.replace(&old.name, &new));
    assert_eq!(spell(&gone), "first new z");
}

#[test]
fn a_pool_keeps_its_weights_and_nobody_is_asked_twice() {
    let (old, new) = (target("old"), target("new"));
    let pool = Place::Pool(vec![(target("old"), 3), (target("mate"), 1)]);
    let mut shifted = route(vec![pool, Place::One(target("new"))]);
    assert!(shifted.shift(&old.name, &new, 25));
    assert_eq!(spell(&shifted), "[old:225 new:75 mate:100]");
    assert!(!shifted.shift(&target("nobody").name, &new, 25));
    assert!(!shifted.shift(&new.name, &new, 25));
    assert_eq!(spell(&shifted), "[old:225 new:75 mate:100]", "what was refused changed nothing");
}

#[test]
fn the_coin_falls_as_the_share_says_whatever_else_is_in_the_pool() {
    let (old, new) = (target("old"), target("new"));
    let pool = Place::Pool(vec![(target("old"), 1), (target("mate"), 4)]);
    let mut shifted = route(vec![pool]);
    assert!(shifted.shift(&old.name, &new, 20));
    let mut chance = Chance::from_seed(7);
    let news = (0..20_000)
        .filter(|_| {
            let choice = run(&shifted, &mut chance);
            matches!(drawn(&choice, &old.name, &new.name, 20, &mut chance), Some((Drawn::New, Some(_))))
        })
        .count();
    // 0.2 of 20,000, five standard deviations either way.
    assert!((3_717..=4_283).contains(&news), "seed 7: {news}");
}

#[test]
fn who_rests_fails_what_its_coin_gave_it_and_without_a_draw_there_is_no_arm() {
    let (old, new) = (target("old"), target("new"));
    let mut chance = Chance::from_seed(1);
    let mut shifted = route(vec![Place::One(target("old"))]);
    let choice = run(&shifted, &mut chance);
    assert!(drawn(&choice, &old.name, &new.name, 50, &mut chance).is_none(), "there is no new one");
    assert!(shifted.shift(&old.name, &new, 25));
    let rests = |who: &'static str, lamp: Lamp| {
        move |target: &Target| {
            if &*target.upstream == who { Facts { lamp, ..FINE } } else { FINE }
        }
    };
    let open = Lamp::Open { until: Instant(9), because: mains_relay::Fault::Unavailable };
    for lamp in [open, Lamp::Dead] {
        let mut fell = [0, 0];
        for _ in 0..2_000 {
            let choice = choose(&shifted, &ANY, rests("new", lamp), Instant(1), &mut chance);
            match drawn(&choice, &old.name, &new.name, 25, &mut chance) {
                Some((Drawn::Old, Some(0))) => fell[0] += 1,
                Some((Drawn::New, None)) => fell[1] += 1,
                other => panic!("seed 1: {other:?}"),
            }
        }
        assert!((400..=600).contains(&fell[1]), "seed 1: {fell:?}");
    }
    let lacks = |target: &Target| {
        if &*target.upstream == "new" { Facts { can: Capabilities::NONE, ..FINE } } else { FINE }
    };
    let asked = Asked { needs: Capabilities::TOOLS, ..ANY };
    let choice = choose(&shifted, &asked, lacks, Instant(1), &mut chance);
    assert!(drawn(&choice, &old.name, &new.name, 25, &mut chance).is_none(), "it cannot do this at all");
    let mut whole = route(vec![Place::One(target("old"))]);
    assert!(whole.shift(&old.name, &new, 100));
    let choice = run(&whole, &mut chance);
    assert!(drawn(&choice, &old.name, &new.name, 100, &mut chance).is_none());
}
