use mains_config::{Draft, NewSwap, Target, parse};
use mains_units::{Day, Span};

const REPORT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const UPSTREAMS: &str = "\
[[upstream]]
name = \"openai\"
provider = \"openai\"
";

fn file(swap: &str) -> String {
    format!(
        "{UPSTREAMS}[[route]]\nmodel = \"gpt-4o\"\ntargets = [\"openai/gpt-4o\", \"openai/o3\"]\n[route.swap]\n{swap}"
    )
}

fn messages(text: &str) -> String {
    parse(text, "mains.toml").map_or_else(|errors| errors.to_string(), |_| "no problem".to_owned())
}

fn target(text: &str) -> Target {
    Target::parse(text).unwrap()
}

#[test]
fn what_is_not_said_has_its_default_and_is_shown() {
    let text =
        file(&format!("from = \"openai/gpt-4o\"\nto = \"openai/gpt-4.1-mini\"\nreport = \"{REPORT}\"\n"));
    let settings = parse(&text, "mains.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let swap = settings.routes[0].swap.as_ref().unwrap();
    assert_eq!(
        (swap.from.value.clone(), swap.to.value.clone()),
        (target("openai/gpt-4o"), target("openai/gpt-4.1-mini"))
    );
    assert_eq!((swap.report.value.as_str(), swap.steps.value.as_slice()), (REPORT, &[5, 25, 50, 100][..]));
    assert_eq!((swap.hold.value, swap.requests_min.value), (Span::from_s(86_400), 200));
    assert_eq!((swap.margin.value, swap.dearer.value, swap.longer.value), (2, 25, 50));
    assert!(swap.whole_by.is_none());
    let shown: Vec<String> = settings
        .shown()
        .iter()
        .filter(|shown| shown.key.contains("swap"))
        .map(|shown| format!("{} = {} ({})", shown.key, shown.value, shown.origin))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_switch_changes_the_text_for_hashing_and_its_spelling_does_not() {
    let head = format!("from = \"openai/gpt-4o\"\nto = \"openai/o4-mini\"\nreport = \"{REPORT}\"\n");
    let text = |rest: &str| parse(&file(&format!("{head}{rest}")), "x").unwrap().canonical();
    let without = parse(&file("").replace("[route.swap]\n", ""), "x").unwrap().canonical();
    assert_ne!(text(""), without);
    assert!(!without.contains("swap"));
    assert_eq!(text("hold = '24h'\nsteps = [5, 25, 0x32, 100]\n"), text(""));
    assert_eq!(text("whole_by = 2026-12-10\n"), text("whole_by = \"2026-12-10\"\n"));
    assert_ne!(text("whole_by = 2026-12-10\n"), text(""));
    let day = parse(&file(&format!("{head}whole_by = 2026-12-10\n")), "x").unwrap();
    let day = day.routes[0].swap.as_ref().unwrap().whole_by.as_ref().unwrap().value;
    assert_eq!(Some(day), Day::parse("2026-12-10"));
}

#[test]
fn what_is_wrong_with_a_switch_is_said_at_its_place() {
    let wrong = [
        "",
        "from = \"openai/gpt-4\"\nto = \"opnai/gpt-4.1-mini\"\nreport = \"ABCD\"\nstep = [100]\nhold = 3\n",
        "from = \"gpt-4o\"\nto = \"openai/o4-mini\"\nreport = 7\nsteps = [5, 5, 100]\nhold = \"a day\"\nwhole_by = \"soon\"\nrequests_min = 0\n",
        &format!(
            "from = \"openai/o3\"\nto = \"openai/o3\"\nreport = \"{REPORT}\"\nsteps = [5, 50]\nwhole_by = 2026-12-10T10:00:00Z\nmargin = 51\ndearer = -1\nlonger = \"much\"\n"
        ),
        &format!("from = \"openai/gpt-4\"\nto = \"opnai/gpt-4.1-mini\"\nreport = \"{REPORT}\"\n"),
        &format!("from = \"office/x\"\nto = \"openai/x\"\nreport = \"{REPORT}\"\nsteps = []\n"),
        &format!("from = \"openai/o3\"\nto = \"openai/x\"\nreport = \"{REPORT}\"\nsteps = [0, 101]\n"),
        &format!(
            "from = \"openai/o3\"\nto = \"openai/x\"\nreport = \"{REPORT}\"\nsteps = \"all\"\nhold = \"400d\"\n"
        ),
    ];
    let mut said: Vec<String> = wrong.iter().map(|swap| messages(&file(swap))).collect();
    said.push(messages(&format!(
        "{UPSTREAMS}[[route]]\nmodel = \"m\"\ntargets = [\"openai/m\"]\nswap = \"openai/n\"\n"
    )));
    insta::assert_snapshot!(said.join("\n----\n"));
}

const BEFORE: &str = "\
# Ours.
[[upstream]]
name = \"openai\"            # the account of the whole company
provider = \"openai\"

# The model that half the company uses.
[[route]]
model = \"gpt-4o\"
# In this order.
targets = [
    \"openai/gpt-4o\",   # the first choice
    # and when it is down:
    \"openai/o3\",
]   # that is all
# degraded = \"allow\"

# Small things.
[[route]]
model = \"small\"
targets = [[[\"openai/a\", 3], [\"openai/b\", 1]], \"openai/c\"]
[route.deadlines]
total_s = 30   # half a minute

[[route]]
model = \"last\"
targets = [\"openai/z\"]

[[budget]]   # nobody exceeds it
scope = \"organisation\"
per = \"day\"
usd = 5
# The end.
";

fn new<'a>(from: &'a Target, to: &'a Target) -> NewSwap<'a> {
    NewSwap {
        from,
        to,
        report: REPORT,
        steps: None,
        hold: None,
        requests_min: None,
        whole_by: None,
        margin: None,
        dearer: None,
        longer: None,
        comment: &[],
    }
}

fn read(text: &str) -> mains_config::Settings {
    parse(text, "mains.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// Every comment of the file, wherever it stands.
fn comments(text: &str) -> Vec<String> {
    let mut all: Vec<String> =
        text.lines().filter_map(|line| line.split_once('#')).map(|(_, words)| words.trim().into()).collect();
    all.sort();
    all
}

#[test]
fn a_switch_is_written_below_its_route_and_nothing_else_changes() {
    let mut draft = Draft::parse(BEFORE, "mains.toml").unwrap();
    let (old, mini) = (target("openai/gpt-4o"), target("openai/gpt-4.1-mini"));
    let whole = NewSwap {
        steps: Some(&[10, 100]),
        hold: Some(Span::from_s(7_200)),
        requests_min: Some(50),
        whole_by: Day::parse("2026-12-10"),
        margin: Some(3),
        dearer: Some(0),
        longer: Some(75),
        comment: &["tested on 2026-11-28"],
        ..new(&old, &mini)
    };
    assert!(draft.set_route_swap("gpt-4o", &whole));
    assert!(draft.set_route_swap("small", &new(&target("openai/b"), &target("openai/d"))));
    assert!(!draft.set_route_swap("absent", &whole));
    let after = draft.to_string();
    insta::assert_snapshot!("switched", after);
    let settings = read(&after);
    let swap = settings.routes[0].swap.as_ref().unwrap();
    assert_eq!((&swap.to.value, swap.hold.value, swap.dearer.value), (&mini, Span::from_s(7_200), 0));
    assert_eq!((swap.steps.value.as_slice(), swap.margin.value, swap.longer.value), (&[10, 100][..], 3, 75));
    assert!(settings.routes[1].swap.is_some() && settings.routes[2].swap.is_none());
    assert_eq!(settings.routes[1].deadlines.total.as_ref().unwrap().value, Span::from_s(30));
    // Every line of before is there, in its order.
    let mut lines = after.lines();
    assert!(BEFORE.lines().all(|line| lines.any(|after| after == line)));

    // Another one stands in its place, below the same comment.
    assert!(draft.set_route_swap("gpt-4o", &new(&old, &target("openai/o4"))));
    let again = draft.to_string();
    assert_eq!(comments(&again), comments(&after));
    assert_eq!(again.matches("[route.swap]").count(), 2);
    assert_eq!(read(&again).routes[0].swap.as_ref().unwrap().to.value, target("openai/o4"));
    assert!(!again.contains("whole_by"));
    let told = NewSwap { comment: &["tested on 2026-11-29"], ..new(&old, &mini) };
    assert!(draft.set_route_swap("gpt-4o", &told));
    assert_eq!(
        draft.to_string(),
        again.replace("2026-11-28", "2026-11-29").replace("openai/o4", "openai/gpt-4.1-mini")
    );

    // And taken out again, the file is what it was.
    assert!(draft.remove_route_swap("gpt-4o") && draft.remove_route_swap("small"));
    assert!(!draft.remove_route_swap("small") && !draft.remove_route_swap("absent"));
    assert_eq!(draft.to_string(), BEFORE);
}

#[test]
fn a_finished_switch_leaves_the_replacement_where_the_old_target_stood() {
    let finished = |model: &str, from: &str, to: &str| {
        let mut draft = Draft::parse(BEFORE, "mains.toml").unwrap();
        assert!(!draft.finish_route_swap(model));
        assert_eq!(draft.to_string(), BEFORE);
        assert!(draft.set_route_swap(model, &new(&target(from), &target(to))));
        assert!(draft.finish_route_swap(model));
        draft.to_string()
    };
    let fresh = finished("gpt-4o", "openai/gpt-4o", "openai/gpt-4.1-mini");
    assert_eq!(fresh, BEFORE.replace("    \"openai/gpt-4o\",", "    \"openai/gpt-4.1-mini\","));
    let pooled = finished("small", "openai/b", "openai/d");
    assert_eq!(pooled, BEFORE.replace("[\"openai/b\", 1]", "[\"openai/d\", 1]"));
    // The replacement was the fallback, or came first already: it stands once.
    for (model, from, to, list) in [
        ("small", "openai/a", "openai/c", "targets = [[[\"openai/c\", 3], [\"openai/b\", 1]]]"),
        ("small", "openai/c", "openai/a", "targets = [[[\"openai/a\", 3], [\"openai/b\", 1]]]"),
        ("small", "openai/a", "openai/b", "targets = [[[\"openai/b\", 3]], \"openai/c\"]"),
    ] {
        let after = finished(model, from, to);
        assert!(after.contains(list), "{after}");
        read(&after);
    }
    let fallback = read(&finished("gpt-4o", "openai/gpt-4o", "openai/o3"));
    let targets: Vec<String> =
        fallback.routes[0].targets.iter().flatten().map(|one| one.target.value.to_string()).collect();
    assert_eq!(targets, ["openai/o3"]);
}

#[test]
fn a_switch_that_somebody_wrote_by_hand_is_replaced_and_taken_out() {
    let head = format!("{UPSTREAMS}[[route]]\nmodel = \"m\"\ntargets = [\"openai/m\"]   # one\n");
    let keys = format!("from = \"openai/m\"\nto = \"openai/n\"\nreport = \"{REPORT}\"\n");
    let inline = keys.trim_end().replace('\n', ", ");
    let dotted = keys.lines().fold(String::new(), |text, line| text + "swap." + line + "\n");
    for by_hand in [
        format!("{head}swap = {{ {inline} }}\n"),
        format!("{head}{dotted}"),
        format!("{head}# apart\n\n# about it\n[route.swap]\n{keys}"),
    ] {
        read(&by_hand);
        let mut draft = Draft::parse(&by_hand, "mains.toml").unwrap();
        assert!(draft.set_route_swap("m", &new(&target("openai/m"), &target("openai/o"))));
        let text = draft.to_string();
        assert_eq!(read(&text).routes[0].swap.as_ref().unwrap().to.value, target("openai/o"), "{text}");
        assert_eq!(text.contains("# apart"), by_hand.contains("# apart"));
        let (from, to) = (target("openai/m"), target("openai/o"));
        let told = NewSwap { comment: &["told"], ..new(&from, &to) };
        assert!(draft.set_route_swap("m", &told));
        let text = draft.to_string();
        assert!(text.contains("\n\n# told\n[route.swap]\n") && !text.contains("# about it"), "{text}");
        assert_eq!(text.contains("# apart\n\n# told"), by_hand.contains("# apart"), "{text}");
        let mut draft = Draft::parse(&by_hand, "mains.toml").unwrap();
        assert!(draft.remove_route_swap("m"));
        let text = draft.to_string();
        assert!(read(&text).routes[0].swap.is_none());
        let expected = if by_hand.contains("# apart") { format!("{head}# apart\n") } else { head.clone() };
        assert_eq!(text, expected);
        let mut draft = Draft::parse(&by_hand, "mains.toml").unwrap();
        assert!(draft.finish_route_swap("m"));
        assert_eq!(draft.to_string(), expected.replace("openai/m", "openai/n"));
    }
}
