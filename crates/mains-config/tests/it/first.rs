//! A labeller before its teacher, and out again: the file is as it was.

use mains_config::{Draft, Target};

fn changed(text: &str, change: impl Fn(&mut Draft) -> bool) -> Option<String> {
    let mut draft = Draft::parse(text, "x").unwrap();
    change(&mut draft).then(|| draft.to_string())
}

#[test]
fn a_target_comes_first_and_goes_again_and_comments_stay() {
    let label = Target::parse("label/intents").unwrap();
    for (before, after) in [
        (
            "[[route]]\nmodel = \"m\" # ours\ntargets = [\"openai/a\", \"openai/b\"] # two\n",
            "[[route]]\nmodel = \"m\" # ours\ntargets = [\"label/intents\", \"openai/a\", \"openai/b\"] # two\n",
        ),
        (
            "[[route]]\nmodel = \"m\"\ntargets = [\n    # cheap\n    \"openai/a\",\n    # dear\n    \"openai/b\",\n]\n",
            "[[route]]\nmodel = \"m\"\ntargets = [\n    \"label/intents\",\n    # cheap\n    \"openai/a\",\n    # dear\n    \"openai/b\",\n]\n",
        ),
        (
            "[[route]]\nmodel = \"m\"\ntargets = [[[\"openai/a\", 2], [\"openai/b\", 1]]]\n",
            "[[route]]\nmodel = \"m\"\ntargets = [\"label/intents\", [[\"openai/a\", 2], [\"openai/b\", 1]]]\n",
        ),
    ] {
        let put = changed(before, |draft| draft.put_first("m", &label)).unwrap();
        assert_eq!(put, after);
        assert_eq!(
            changed(&put, |draft| draft.put_first("m", &label)).as_deref(),
            Some(after),
            "twice is once"
        );
        assert_eq!(changed(&put, |draft| draft.take_out("m", &label)).as_deref(), Some(before));
    }
}

#[test]
fn what_is_not_there_is_not_changed() {
    let label = Target::parse("label/intents").unwrap();
    let text = "[[route]]\nmodel = \"m\"\ntargets = [\"openai/a\"]\n";
    assert_eq!(changed(text, |draft| draft.put_first("other", &label)), None);
    assert_eq!(changed(text, |draft| draft.take_out("m", &label)), None);
}
