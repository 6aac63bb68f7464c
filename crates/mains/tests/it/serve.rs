use super::running::{Outlet, Running, address, ask, get, http};
use super::{run, temporary};
use rustix::process::Signal;
use std::net::TcpListener;

#[test]
fn a_dead_model_is_answered_by_the_next_target_and_all_of_it_is_recorded() {
    let outlet = Outlet::start();
    let reply = outlet.ask("gpt-3.5-turbo");
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("x-mains-target"), "openai/gpt-4o-mini");
    assert!(reply.json()["choices"][0]["message"]["content"].as_str().unwrap().contains("stand-in"));
    let unknown = outlet.ask("gpt-4o-mni");
    assert!(unknown.status == 404 && unknown.body.contains("gpt-4o-mini"), "{}", unknown.body);
    let list = get(&outlet.address, "/v1/models").json();
    assert_eq!(list["data"].as_array().unwrap().len(), 4);
    outlet.process.signal(Signal::TERM);
    let Outlet { folder, process, .. } = outlet;
    let ended = process.ended().ends(0);
    assert!(ended.err.contains("draining"), "{}", ended.err);
    let verified = run(folder.path(), &["ledger", "verify", "--data", "data", "--json"]).ends(0).json();
    assert!(verified["leaves"].as_u64().unwrap() >= 3, "{verified}");
}

#[test]
fn a_key_is_shown_once_is_required_from_then_on_and_fails_when_it_is_revoked() {
    let outlet = Outlet::start();
    assert_eq!(outlet.ask("gpt-4o-mini").status, 200);
    let made = outlet.run(&["key", "make", "tests"]).ends(0);
    let key = made.out.trim_end();
    assert!(key.starts_with("sk-mains-") && !key.contains('\n'), "{}", made.out);
    assert!(!made.err.contains(key), "the secret is data, not words");
    assert_eq!(outlet.ask("gpt-4o-mini").status, 401);
    assert_eq!(ask(&outlet.address, "gpt-4o-mini", Some(key)).status, 200);
    let listed = outlet.run(&["key", "list", "--json"]).ends(0);
    assert!(!listed.out.contains(key));
    let id = listed.json()["keys"][0]["id"].as_str().unwrap().to_owned();
    outlet.run(&["key", "revoke", &id]).ends(0);
    assert_eq!(ask(&outlet.address, "gpt-4o-mini", Some(key)).status, 401);
    let again = outlet.run(&["key", "revoke", &id]).ends(2);
    assert!(again.err.contains("hint: `mains key list`"), "{}", again.err);
}

#[test]
fn keys_are_made_before_the_first_start_too() {
    let folder = temporary();
    let made = run(folder.path(), &["key", "make", "first", "--data", "data"]).ends(0);
    let listed = run(folder.path(), &["key", "list", "--data", "data"]).ends(0);
    assert!(listed.out.contains("first") && !listed.out.contains(made.out.trim_end()), "{}", listed.out);
    let config = "[serve]\nlisten = \"127.0.0.1:0\"\ndata = \"data\"\n[[upstream]]\nname = \"o\"\nprovider = \"openai\"\n\
                  base_url = \"http://127.0.0.1:9/v1\"\n[[route]]\nmodel = \"m\"\ntargets = [\"o/m\"]\n";
    std::fs::write(folder.path().join("mains.toml"), config).unwrap();
    let mut process = Running::start(folder.path(), &["serve"]);
    let address = address(&process.err_until("mains serves"));
    assert_eq!(ask(&address, "m", None).status, 401);
    assert_eq!(http(&address, "GET", "/v1/models", Some(made.out.trim_end()), "").status, 200);
}

#[test]
fn a_bad_file_changes_nothing_and_a_good_one_is_taken_over() {
    let mut outlet = Outlet::start();
    let path = outlet.folder.path().join("mains.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replace("[serve]", "[serve]\nlisen = \"x\"")).unwrap();
    let refused = outlet.run(&["config", "reload"]).ends(2);
    assert!(refused.err.contains("lisen") && refused.err.contains("hint"), "{}", refused.err);
    outlet.process.signal(Signal::HUP);
    outlet.process.err_until("the configuration was not reloaded");
    assert_eq!(outlet.ask("gpt-4o-mini").status, 200);
    std::fs::write(&path, good + "[[route]]\nmodel = \"new\"\ntargets = [\"openai/gpt-4o\"]\n").unwrap();
    assert_eq!(outlet.ask("new").status, 404);
    outlet.run(&["config", "reload"]).ends(0);
    assert_eq!(outlet.ask("new").status, 200);
}

#[test]
fn a_port_in_use_is_trouble_with_a_hint() {
    let folder = temporary();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let up = run(folder.path(), &["up", "--once", "--listen", &address]).ends(2);
    assert!(up.err.contains(&format!("cannot listen on {address}")), "{}", up.err);
    assert!(up.err.contains("hint:") && up.err.contains("--listen"), "{}", up.err);
}

#[test]
fn the_verbs_of_a_running_outlet_say_that_none_runs() {
    let folder = temporary();
    for words in [["config", "reload"].as_slice(), &["drill", "--target", "openai"]] {
        let ran = run(folder.path(), words).ends(2);
        assert!(ran.err.contains("no outlet answers") && ran.err.contains("hint: start one"), "{}", ran.err);
    }
}

#[test]
fn what_is_not_built_is_refused_at_the_start_and_never_ignored() {
    let folder = temporary();
    let outlet = "[serve]\nlisten = \"127.0.0.1:0\"\n[[upstream]]\nname = \"a\"\nprovider = \"openai\"\n\
                  base_url = \"http://127.0.0.1:1/v1\"\n[[route]]\nmodel = \"m\"\ntargets = [\"a/m\"]\n";
    for (more, said) in [
        ("[policy]\nset = \"policies\"\n", "policy set"),
        (
            "[[budget]]\nscope = \"organisation\"\nper = \"day\"\nusd = 1\nzone = \"Europe/Paris\"\n",
            "zone `Europe/Paris`",
        ),
    ] {
        std::fs::write(folder.path().join("mains.toml"), format!("{outlet}{more}")).unwrap();
        let ran = run(folder.path(), &["serve"]).ends(2);
        assert!(ran.err.contains(said) && ran.err.contains("hint:"), "{more}: {}", ran.err);
    }
}
