use super::{Ran, mains, run, temporary};

#[test]
fn models_are_listed_with_where_they_would_lie() {
    let folder = temporary();
    let listed = run(folder.path(), &["model", "list", "--json"]).ends(0).json();
    assert_eq!(listed["schema"], "mains.models/1");
    let model = &listed["models"][0];
    assert_eq!((&model["name"], &model["here"]), (&"smollm2-135m-instruct".into(), &false.into()));
    assert!(listed["folder"].as_str().is_some_and(|path| path.ends_with(".local/share/mains/models")));
    let mut elsewhere = mains(folder.path());
    elsewhere.args(["model", "list", "--json"]).env("MAINS_MODELS", "/elsewhere");
    assert_eq!(Ran::of(&mut elsewhere).ends(0).json()["folder"], "/elsewhere");
}

#[test]
fn a_model_that_is_not_here_says_how_to_fetch_it() {
    let folder = temporary();
    for verb in
        [&["model", "show", "smollm2-135m-instruct"][..], &["model", "run", "smollm2-135m-instruct", "hi"]]
    {
        let ran = run(folder.path(), verb).ends(2);
        assert!(ran.err.contains("hint: `mains model pull smollm2-135m-instruct`"), "{}", ran.err);
    }
    let ran = run(folder.path(), &["model", "pull", "smollm2-135m-instrct"]).ends(2);
    assert!(ran.err.contains("did you mean `smollm2-135m-instruct`?"), "{}", ran.err);
}

#[test]
fn a_model_that_makes_vectors_is_not_asked_to_generate() {
    let folder = temporary();
    let listed = run(folder.path(), &["model", "list", "--json"]).ends(0).json();
    let named = |model: &&serde_json::Value| model["name"] == "all-minilm-l6-v2";
    let model = listed["models"].as_array().unwrap().iter().find(named).unwrap();
    // Both files.
    assert_eq!(model["bytes"], 90_868_376 + 466_247);
    for verb in [&["model", "show", "all-minilm-l6-v2"][..], &["model", "run", "all-minilm-l6-v2", "hi"]] {
        let ran = run(folder.path(), verb).ends(2);
        assert!(ran.err.contains("makes vectors of texts"), "{}", ran.err);
    }
}

#[test]
fn a_file_that_is_no_model_is_refused_without_a_crash() {
    let folder = temporary();
    for bytes in
        [&b""[..], b"GGUF", b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
    {
        std::fs::write(folder.path().join("bad.gguf"), bytes).unwrap();
        for words in [&["model", "show", "bad.gguf"][..], &["model", "run", "bad.gguf", "hi"]] {
            let ran = run(folder.path(), words).ends(2);
            assert!(ran.err.starts_with("error: ") && ran.out.is_empty(), "{}", ran.err);
        }
    }
}

#[test]
fn without_any_source_the_fetch_names_each_and_leaves_no_file() {
    let folder = temporary();
    let models = folder.path().join("models");
    let mut command = mains(folder.path());
    command.args(["model", "pull", "smollm2-135m-instruct"]).env("MAINS_MODELS", &models);
    // A proxy that nobody serves, and no python: no byte can come from anywhere.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    command.env("HTTPS_PROXY", format!("http://{nobody}")).env("ALL_PROXY", format!("http://{nobody}"));
    command.env("PATH", folder.path()).env_remove("NO_PROXY").env_remove("no_proxy");
    let ran = Ran::of(&mut command).ends(2);
    assert!(
        ran.err.contains("no source gave") && ran.err.contains("`python3` does not start"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    let left: Vec<_> = std::fs::read_dir(models.join("smollm2-135m-instruct")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
