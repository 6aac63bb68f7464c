//! Budgets by example.

use mains_relay::budget::{Cap, Class, Draw, Figure, Path, Per, Scope, Tree, UnknownPrice};
use mains_units::{Amounts, Grade, Quantity, Timestamp};

const DAY: i64 = 86_400_000;
const NOON: Timestamp = Timestamp(20_000 * DAY + DAY / 2);
const MIDNIGHT: Timestamp = Timestamp(20_001 * DAY);

fn path() -> Path {
    Path { project: Some("search".into()), key: Some("ci".into()) }
}

fn project() -> Scope {
    Scope::Project("search".into())
}

fn money(amount: u64) -> Draw {
    Draw::one_request().exactly(Quantity::Money, amount)
}

fn used_held(tree: &mut Tree, at: Timestamp) -> Vec<(u64, u64)> {
    tree.readings(at).iter().map(|reading| (reading.used, reading.held)).collect()
}

#[test]
fn all_nodes_hold_or_none_and_the_refusal_says_everything() {
    let caps = vec![
        Cap::new(Scope::Organisation, Per::Month, Quantity::Money, 1_000),
        Cap::new(project(), Per::Day, Quantity::Money, 100),
        Cap::new(Scope::Key("other".into()), Per::Day, Quantity::Money, 0),
    ];
    let mut tree = Tree::new(caps, NOON);
    let first = tree.reserve(path(), &money(60), NOON).unwrap();
    let refusal = tree.reserve(path(), &money(41), NOON).unwrap_err();
    assert_eq!(
        (refusal.scope.clone(), refusal.per, refusal.quantity),
        (project(), Per::Day, Quantity::Money)
    );
    assert_eq!((refusal.limit, refusal.used, refusal.held, refusal.asked), (100, 0, 60, Some(41)));
    assert_eq!((refusal.renews_at, refusal.class()), (MIDNIGHT, Class::Budget));
    let text = refusal.to_string();
    for part in ["`project:search`", "$0.0000001 per day", "2024-10-05T00:00:00.000Z", "hint: "] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(used_held(&mut tree, NOON), [(0, 60), (0, 60), (0, 0)], "the organisation held nothing of it");

    let settlement = tree.settle(first, &money(25));
    assert_eq!(settlement.released.get(Quantity::Money), 35);
    assert!(!settlement.overshoots());
    assert_eq!(used_held(&mut tree, NOON), [(25, 0), (25, 0), (0, 0)]);
    let hold = tree.reserve(path(), &money(75), NOON).unwrap();
    assert_eq!(tree.release(hold).settled, Amounts::ZERO);
    assert_eq!(used_held(&mut tree, NOON), [(25, 0), (25, 0), (0, 0)]);
}

#[test]
fn a_refused_extension_keeps_the_hold_and_an_overshoot_is_counted_and_said() {
    let mut tree = Tree::new(vec![Cap::new(project(), Per::Day, Quantity::Money, 100)], NOON);
    let mut hold = tree.reserve(path(), &money(40), NOON).unwrap();
    tree.extend(&mut hold, &money(40), NOON).unwrap();
    assert!(tree.extend(&mut hold, &money(40), NOON).is_err());
    assert_eq!(hold.held().get(Quantity::Money), 80);
    let settlement = tree.settle(hold, &money(95));
    assert_eq!(settlement.settled.get(Quantity::Money), 80);
    assert_eq!(settlement.overshoot.get(Quantity::Money), 15);
    assert_eq!(used_held(&mut tree, NOON), [(95, 0)]);
}

#[test]
fn rates_are_told_from_budgets() {
    let class = |per, quantity, draw: Draw| {
        let mut tree = Tree::new(vec![Cap::new(project(), per, quantity, 10)], NOON);
        let hold = tree.reserve(path(), &draw, NOON).unwrap();
        let refusal = tree.reserve(path(), &draw, NOON).unwrap_err();
        tree.release(hold);
        refusal.class()
    };
    let draw = Draw::default().exactly(Quantity::Requests, 6).exactly(Quantity::Tokens, 6);
    let draw = draw.exactly(Quantity::Money, 6);
    assert_eq!(class(Per::Minute, Quantity::Requests, draw), Class::Rate);
    assert_eq!(class(Per::Hour, Quantity::Tokens, draw), Class::Rate);
    assert_eq!(class(Per::Day, Quantity::Tokens, draw), Class::Budget);
    assert_eq!(class(Per::Minute, Quantity::Money, draw), Class::Budget);

    let mut tree = Tree::new(vec![Cap::new(project(), Per::Minute, Quantity::Tokens, 5)], NOON);
    let refusal = tree.reserve(path(), &draw, NOON).unwrap_err();
    assert_eq!(refusal.class(), Class::Budget, "waiting does not help what can never fit");
    assert!(refusal.to_string().contains("it can never fit"));
}

#[test]
fn of_two_refusals_the_one_that_renews_last_is_told() {
    let caps = vec![
        Cap::new(Scope::Organisation, Per::Month, Quantity::Money, 1),
        Cap::new(project(), Per::Minute, Quantity::Requests, 0),
    ];
    let refusal = Tree::new(caps, NOON).reserve(path(), &money(2), NOON).unwrap_err();
    assert_eq!((refusal.per, refusal.class()), (Per::Month, Class::Budget));
}

#[test]
fn without_a_price_a_money_cap_refuses_unless_it_says_allow() {
    let cap = Cap::new(project(), Per::Day, Quantity::Money, 100);
    let mut tree = Tree::new(vec![cap.clone()], NOON);
    assert!(tree.priced_only(&path()));
    assert!(!tree.priced_only(&Path::default()), "the project's cap binds the project only");
    let refusal = tree.reserve(path(), &Draw::one_request(), NOON).unwrap_err();
    assert_eq!((refusal.asked, refusal.class()), (None, Class::Budget));
    assert!(refusal.to_string().contains("unknown = \"allow\""));

    tree.reconfigure(vec![Cap { unknown: UnknownPrice::Allow, ..cap }], NOON);
    assert!(!tree.priced_only(&path()));
    let hold = tree.reserve(path(), &Draw::one_request(), NOON).unwrap();
    let settlement = tree.settle(hold, &money(30));
    assert_eq!(settlement.overshoot.get(Quantity::Money), 30, "what was not held is beyond the hold");
    assert_eq!(used_held(&mut tree, NOON), [(30, 0)], "and counts");
}

#[test]
fn what_is_unknown_at_the_end_stands_as_it_was_held() {
    let mut tree = Tree::new(vec![Cap::new(project(), Per::Day, Quantity::Money, 100)], NOON);
    let hold = tree.reserve(path(), &money(40), NOON).unwrap();
    let settlement = tree.settle(hold, &Draw::one_request());
    assert_eq!(settlement.settled.get(Quantity::Money), 40);
    assert_eq!(used_held(&mut tree, NOON), [(40, 0)]);
}

#[test]
fn physical_caps_bind_on_good_figures_only_and_otherwise_report() {
    let cap = Cap::new(project(), Per::Day, Quantity::Energy, 100);
    let energy = |amount, grade| Draw::one_request().estimated(Quantity::Energy, amount, grade);
    let mut tree = Tree::new(vec![cap.clone()], NOON);
    let weak = tree.reserve(path(), &energy(150, Grade::D), NOON).unwrap();
    assert_eq!(weak.notices().len(), 1);
    assert_eq!((weak.notices()[0].reached, weak.notices()[0].limit), (150, 100));
    assert_eq!(used_held(&mut tree, NOON), [(0, 0)], "a weak figure takes nothing from good ones");
    let good = tree.reserve(path(), &energy(100, Grade::B), NOON).unwrap();
    assert!(tree.reserve(path(), &energy(1, Grade::A), NOON).is_err());
    tree.settle(weak, &energy(120, Grade::D));
    tree.settle(good, &energy(90, Grade::B));
    let reading = tree.readings(NOON).remove(0);
    assert_eq!((reading.used, reading.held, reading.reported), (90, 0, 120));

    tree.reconfigure(vec![Cap { binds_from: Grade::D, ..cap }], NOON);
    assert!(tree.reserve(path(), &energy(11, Grade::D), NOON).is_err(), "the budget names a lower grade");
    let unknown = tree.reserve(path(), &Draw::one_request(), NOON).unwrap();
    tree.release(unknown);
}

#[test]
fn a_hold_counts_in_the_window_in_which_it_was_reserved() {
    let mut tree = Tree::new(vec![Cap::new(project(), Per::Day, Quantity::Money, 100)], NOON);
    let mut hold = tree.reserve(path(), &money(80), NOON).unwrap();
    assert_eq!(used_held(&mut tree, MIDNIGHT), [(0, 0)], "a new day");
    tree.extend(&mut hold, &money(50), MIDNIGHT).unwrap();
    assert_eq!(used_held(&mut tree, MIDNIGHT), [(0, 50)]);
    let settlement = tree.settle(hold, &money(100));
    assert_eq!((settlement.settled.get(Quantity::Money), settlement.overshoot), (100, Amounts::ZERO));
    assert_eq!(used_held(&mut tree, MIDNIGHT), [(20, 0)], "80 were yesterday's");
    let totals = tree.readings(MIDNIGHT)[0].totals;
    assert_eq!((totals.held, totals.settled, totals.released), (130, 100, 30));
}

#[test]
fn a_clock_set_back_renews_nothing() {
    let mut tree = Tree::new(vec![Cap::new(project(), Per::Day, Quantity::Money, 100)], MIDNIGHT);
    let hold = tree.reserve(path(), &money(100), MIDNIGHT).unwrap();
    tree.settle(hold, &money(100));
    for at in [MIDNIGHT.0 - 1, MIDNIGHT.0 - 40 * DAY, MIDNIGHT.0 - 41 * DAY] {
        assert!(tree.reserve(path(), &money(1), Timestamp(at)).is_err(), "{at}");
    }
    let later = Timestamp(MIDNIGHT.0 - 39 * DAY);
    tree.release(tree.clone().reserve(path(), &money(1), later).unwrap());
    assert_eq!(used_held(&mut tree, later), [(0, 0)], "but the true clock renews it in time");
}

#[test]
fn a_restart_keeps_what_was_used() {
    let caps = vec![
        Cap::new(project(), Per::Day, Quantity::Money, 100),
        Cap::new(project(), Per::Month, Quantity::Money, 1_000),
    ];
    let mut tree = Tree::new(caps.clone(), NOON);
    let hold = tree.reserve(path(), &money(90), NOON).unwrap();
    tree.settle(hold, &money(90));
    let saved = serde_json::to_string(&tree.snapshot(NOON)).unwrap();
    assert!(saved.contains("\"project:search\""), "{saved}");

    let mut tree = Tree::new(caps, MIDNIGHT);
    tree.restore(&serde_json::from_str::<Vec<_>>(&saved).unwrap(), MIDNIGHT);
    assert_eq!(used_held(&mut tree, MIDNIGHT), [(0, 0), (90, 0)], "the day has passed, the month has not");
}

#[test]
fn a_changed_cap_keeps_its_use_and_a_removed_one_its_holds() {
    let cap = Cap::new(project(), Per::Day, Quantity::Money, 100);
    let mut tree = Tree::new(vec![cap.clone()], NOON);
    let hold = tree.reserve(path(), &money(90), NOON).unwrap();
    tree.reconfigure(vec![], NOON);
    assert!(tree.readings(NOON).is_empty());
    let free = tree.reserve(path(), &money(1_000), NOON).unwrap();
    tree.reconfigure(vec![cap.clone(), Cap { limit: 50, ..cap.clone() }, cap], NOON);
    assert_eq!(tree.readings(NOON)[0].cap.limit, 50, "of two caps the lower one counts");
    assert_eq!(used_held(&mut tree, NOON), [(0, 90)]);
    tree.settle(hold, &money(70));
    tree.release(free);
    assert_eq!(used_held(&mut tree, NOON), [(70, 0)]);
}

#[test]
fn draws_combine_to_the_dearest_and_to_the_sum() {
    let a = money(5).estimated(Quantity::Energy, 9, Grade::B);
    let b = money(7).estimated(Quantity::Energy, 4, Grade::D).exactly(Quantity::Tokens, 3);
    let dearest = a.dearest(&b);
    assert_eq!(dearest.amount(Quantity::Money), Some(7));
    assert_eq!(dearest.get(Quantity::Energy), Figure::Known { amount: 9, grade: Grade::D });
    assert_eq!(a.plus(&b).amount(Quantity::Money), Some(12));
    assert_eq!(a.plus(&b).amount(Quantity::Tokens), Some(3));
    assert_eq!(a.plus(&b).get(Quantity::Water), Figure::Unknown);
}
