use super::{Ran, mains, run, temporary};

#[test]
fn every_problem_is_said_with_its_line() {
    let folder = temporary();
    let text = "[serve]\nlistne = \"127.0.0.1:2300\"\ndrain_s = -1\n\n[[upstream]]\nname = \"a\"\nprovider = \"opnai\"\n";
    std::fs::write(folder.path().join("mains.toml"), text).unwrap();
    let ran = run(folder.path(), &["config", "check"]).ends(2);
    assert!(ran.err.contains("error: unknown key `listne` in `[serve]`\n --> mains.toml:2:1"), "{}", ran.err);
    assert!(ran.err.contains("hint: did you mean `listen`?"), "{}", ran.err);
    assert!(ran.err.contains("mains.toml:3:"), "{}", ran.err);
    assert!(ran.out.is_empty());
}

#[test]
fn what_only_other_rooms_know_is_checked_too() {
    let folder = temporary();
    let check = |upstream: &str| {
        std::fs::write(folder.path().join("mains.toml"), format!("[[upstream]]\nname = \"a\"\n{upstream}\n"))
            .unwrap();
        run(folder.path(), &["config", "check"])
    };
    check("provider = \"openai\"\nkey = \"env:OPENAI_API_KEY\"\nzone = \"USA\"").ends(0);
    let ran = check("provider = \"opnai\"").ends(2);
    assert!(ran.err.contains("mains.toml:3:12") && ran.err.contains("opnai"), "{}", ran.err);
    let ran = check("provider = \"openai\"\nzone = \"Atlantis\"").ends(2);
    assert!(ran.err.contains("no grid zone is called `Atlantis`\n --> mains.toml:4:8"), "{}", ran.err);
}

#[test]
fn show_says_where_each_setting_comes_from() {
    let folder = temporary();
    std::fs::write(folder.path().join("mains.toml"), "[serve]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let show = |variable: Option<&str>| {
        let mut command = mains(folder.path());
        command.args(["config", "show", "--json"]);
        if let Some(value) = variable {
            command.env("MAINS_SERVE_LISTEN", value);
        }
        let shown = Ran::of(&mut command).ends(0).json();
        assert_eq!(shown["schema"], "mains.config/1");
        let find =
            |key: &str| shown["settings"].as_array().unwrap().iter().find(|row| row["key"] == key).cloned();
        (find("serve.listen").unwrap(), find("serve.data").unwrap())
    };
    let (listen, data) = show(None);
    assert_eq!((&listen["origin"], &listen["line"]), (&"file".into(), &2.into()));
    assert_eq!(data["origin"], "default");
    let (listen, _) = show(Some("127.0.0.1:2"));
    assert_eq!(
        (&listen["origin"], &listen["variable"]),
        (&"environment".into(), &"MAINS_SERVE_LISTEN".into())
    );
    assert_eq!(listen["value"], "\"127.0.0.1:2\"");
    let page = run(folder.path(), &["config", "show"]).ends(0).out;
    assert!(page.contains("mains.toml:2") && page.contains("default"), "{page}");
}

#[test]
fn a_misspelt_variable_is_not_overlooked() {
    let folder = temporary();
    std::fs::write(folder.path().join("mains.toml"), "").unwrap();
    let ran = Ran::of(mains(folder.path()).args(["config", "check"]).env("MAINS_SERVE_LISTN", "x")).ends(2);
    assert!(ran.err.contains("MAINS_SERVE_LISTN") && ran.err.contains("MAINS_SERVE_LISTEN"), "{}", ran.err);
}

#[test]
fn the_nearest_file_holds_and_none_is_trouble() {
    let folder = temporary();
    let deep = folder.path().join("repository/a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::create_dir_all(folder.path().join("repository/.git")).unwrap();
    let ran = run(&deep, &["config", "show"]).ends(2);
    assert!(ran.err.contains("no `mains.toml`") && ran.err.contains("hint: "), "{}", ran.err);
    let user = deep.join(".config/mains");
    std::fs::create_dir_all(&user).unwrap();
    std::fs::write(user.join("config.toml"), "[serve]\nlisten = \"127.0.0.1:3\"\n").unwrap();
    assert!(run(&deep, &["config", "show"]).ends(0).out.contains("127.0.0.1:3"));
    std::fs::write(folder.path().join("repository/mains.toml"), "[serve]\nlisten = \"127.0.0.1:4\"\n")
        .unwrap();
    assert!(run(&deep, &["config", "show"]).ends(0).out.contains("../../mains.toml:2"));
    let ran = run(&deep, &["config", "check", "absent.toml"]).ends(2);
    assert!(ran.err.contains("failed to read `absent.toml`: no such file or directory"), "{}", ran.err);
}

#[test]
fn a_file_that_is_no_text_is_said_with_its_line() {
    let folder = temporary();
    std::fs::write(folder.path().join("mains.toml"), b"[serve]\nlisten = \"\xff\"\n").unwrap();
    let ran = run(folder.path(), &["config", "check"]).ends(2);
    assert!(ran.err.contains("on line 2"), "{}", ran.err);
}
