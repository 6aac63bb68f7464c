//! The report over the example application, in every format, byte for byte. `MAINS_BLESS=1` rewrites the
//! files; look at the difference before committing it.

use mains_catalog::Catalog;
use mains_scan::report::{Options, Report, Style, Walked};
use std::path::Path;

/// The example application through the real walk.
fn app() -> Report {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/app");
    let walk =
        mains_host::walk::walk(&root, |path, bytes| Some(crate::detector().scan_file(path, bytes))).unwrap();
    let walked = Walked { files: walk.files, bytes: walk.bytes, ..Walked::default() };
    let findings: Vec<_> = walk.found.into_iter().map(|(_, findings)| findings).collect();
    let options = Options { as_of: crate::as_of(), horizon_days: 90, energy: None };
    Report::build(&findings, walked, Catalog::builtin(), &options)
}

/// The catalogue's hash changes with every fact; the golden files must not.
fn stable(text: &str) -> String {
    text.replace(Catalog::builtin().hash(), "CATALOGUE").replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden").join(name);
    let text = stable(text);
    if std::env::var_os("MAINS_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{name} differs; MAINS_BLESS=1 rewrites it");
}

#[test]
fn the_report_on_the_example_application() {
    let report = app();
    assert_eq!(report.exit_code(), 1);
    let dead: Vec<&str> =
        report.models.iter().filter(|g| g.state == "retired").map(|g| g.id.as_str()).collect();
    assert_eq!(dead, ["gpt-3.5-turbo", "sora-2"]);
    assert!(report.models.iter().any(|group| group.state == "alive"));
    compare("app.txt", &report.to_text(&Style::default()));
    compare("app.json", &report.to_json());
    compare("app.sarif", &report.to_sarif());
    compare("app.md", &report.to_markdown());
    compare("app.toml", &mains_scan::plan_toml(&report, Catalog::builtin()));
}

#[test]
fn two_runs_give_the_same_bytes() {
    let (first, second) = (app(), app());
    assert_eq!(first.to_json(), second.to_json());
    assert_eq!(first.to_sarif(), second.to_sarif());
    assert_eq!(
        first.to_text(&Style { colour: true, width: 60, places: 2 }),
        second.to_text(&Style { colour: true, width: 60, places: 2 })
    );
}

#[test]
fn sarif_declares_every_rule_and_keeps_its_fingerprints_when_lines_move() {
    let text = "import openai\nc.create(model='gpt-3.5-turbo')\n";
    let moved = format!("\n\n{}", text.replace("c.create", "    c.create"));
    let prints = |text: &str| -> Vec<String> {
        let sarif: serde_json::Value =
            serde_json::from_str(&crate::report(&[("a.py", text)]).to_sarif()).unwrap();
        assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), 10);
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|result| result["partialFingerprints"]["mains/v1"].to_string()).collect()
    };
    assert_eq!(prints(text), prints(&moved));
}

#[test]
fn no_line_of_the_page_is_wider_than_asked() {
    let text = app().to_text(&Style { width: 60, ..Style::default() });
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
}

#[test]
fn nothing_read_is_said_aloud() {
    assert!(crate::report(&[]).to_text(&Style::default()).contains("0 files were read"));
}
