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
            matches!(drawn(&choice.candidates, &old.name, &new.name), Some((Drawn::New, _)))
        })
        .count();
    // 0.2 of 20,000, five standard deviations either way.
    assert!((3_717..=4_283).contains(&news), "seed 7: {news}");
}

#[test]
fn without_both_or_without_a_draw_there_is_no_arm() {
    let (old, new) = (target("old"), target("new"));
    let mut chance = Chance::from_seed(1);
    let mut shifted = route(vec![Place::One(target("old"))]);
    assert!(drawn(&run(&shifted, &mut chance).candidates, &old.name, &new.name).is_none());
    assert!(shifted.shift(&old.name, &new, 50));
    let one_rests = |target: &Target| {
        let lamp = if &*target.upstream == "new" { Lamp::Dead } else { Lamp::Closed };
        Facts { lamp, ..FINE }
    };
    let choice = choose(&shifted, &ANY, one_rests, Instant(1), &mut chance);
    assert!(drawn(&choice.candidates, &old.name, &new.name).is_none());
    let mut whole = route(vec![Place::One(target("old"))]);
    assert!(whole.shift(&old.name, &new, 100));
    assert!(drawn(&run(&whole, &mut chance).candidates, &old.name, &new.name).is_none());
}
