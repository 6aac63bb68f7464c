use super::running::{DAY, Running, address, get};
use super::{run, temporary};
use rustix::process::Signal;

const ONCE: &[&str] = &["up", "--once", "--listen", "127.0.0.1:0", "--data", "data", "--as-of", DAY];

#[test]
fn the_first_minute_shows_a_death_a_survivor_and_a_proof() {
    let folder = temporary();
    let page = run(folder.path(), ONCE).ends(0).out;
    for wanted in [
        "DEAD      openai/gpt-3.5-turbo",
        "OPENAI_API_KEY is not set",
        "the page: http://127.0.0.1:",
        "at openai itself: HTTP 404",
        "The model `gpt-3.5-turbo` has been deprecated",
        "through the outlet: answered by openai/gpt-5.6-terra  (stand-in)",
        "The model `sora-2` has been deprecated",
        "not asked, as it relays conversations and embeddings only",
        "CO2e",
        "water · grade D",
        "killed on purpose",
        ", attempt 2  (stand-in)",
        "the ledger verifies",
        "a copy with one bit turned does not",
        "the log does not verify: `journal`, leaf ",
    ] {
        assert!(page.contains(wanted), "`{wanted}` is missing:\n{page}");
    }
    run(folder.path(), &["ledger", "verify", "--data", "data"]).ends(0);
    let leaves =
        run(folder.path(), &["ledger", "show", "--from", "0", "--count", "20", "--data", "data", "--json"])
            .ends(0)
            .out;
    let said = leaves.matches("\"region\": \"stand-in\"").count();
    assert!(said >= 6, "every intent and outcome says that no provider was asked: {leaves}");
    // The stand-in is gone with the outlet: what stays is a plan for real accounts.
    let plan = std::fs::read_to_string(folder.path().join("data/mains.toml")).unwrap();
    assert!(plan.contains("env:OPENAI_API_KEY") && !plan.contains("base_url"), "{plan}");
    run(folder.path(), &["config", "check", "data/mains.toml"]).ends(0);
}

#[test]
fn a_plan_that_somebody_edited_is_kept_and_an_own_one_is_renewed() {
    let folder = temporary();
    run(folder.path(), ONCE).ends(0);
    let path = folder.path().join("data/mains.toml");
    let plan = std::fs::read_to_string(&path).unwrap();
    assert!(!run(folder.path(), ONCE).ends(0).err.contains("edited"));
    let edited = plan + "\n[[route]]\nmodel = \"of-my-own\"\ntargets = [\"openai/gpt-4o-mini\"]\n";
    std::fs::write(&path, &edited).unwrap();
    let again = run(folder.path(), ONCE).ends(0);
    assert!(again.err.contains("was edited by hand and is used as it is"), "{}", again.err);
    assert!(again.out.contains("of-my-own"), "{}", again.out);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
}

#[test]
fn it_stays_up_with_its_page_and_its_label_until_it_is_told_to_end() {
    let folder = temporary();
    let words: Vec<&str> = ONCE.iter().copied().filter(|word| *word != "--once").collect();
    let mut up = Running::start(folder.path(), &words);
    let curl = up.out_until("curl http");
    up.out_until("mains model pull");
    let address = address(&curl);
    up.err_until("ready at");
    let page = get(&address, "/");
    assert!(page.status == 200 && page.body.contains("stand-in"), "{}", page.body);
    let records = get(&address, "/mains/v1/requests").json();
    let requests = records["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 3, "{records}");
    assert!(requests.iter().all(|request| request["stand_in"] == true), "{records}");
    run(folder.path(), &["config", "reload", "--data", "data"]).ends(0);
    up.signal(Signal::INT);
    up.ended().ends(0);
}

#[test]
fn code_that_asks_for_nothing_has_nothing_to_serve() {
    let folder = temporary();
    std::fs::write(folder.path().join("main.py"), "print(1)\n").unwrap();
    let ran =
        run(folder.path(), &["up", "main.py", "--once", "--listen", "127.0.0.1:0", "--data", "data"]).ends(0);
    assert!(ran.err.contains("nothing to serve"), "{}", ran.err);
}
