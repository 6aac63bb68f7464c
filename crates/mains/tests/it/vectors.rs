//! Vectors of the known encoder through the outlet, where its weights are at hand.

use super::running::{Running, address, ask, get, http};
use super::temporary;
use mains_infer::Embedder;
use mains_infer::encoder::EncoderSource;
use mains_infer::models;
use std::path::{Path, PathBuf};

const MODEL: &str = "all-minilm-l6-v2";

/// The folder in which the encoder stands, or a line that says what was left out.
fn models_folder(test: &str) -> Option<PathBuf> {
    let model = models::find(MODEL).unwrap();
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or(home);
    let folders =
        [std::env::var_os("MAINS_MODELS").map(PathBuf::from), data.map(|data| data.join("mains/models"))];
    let whole = |folder: &PathBuf| model.files().all(|file| file.path(model, folder).is_file());
    let found = folders.into_iter().flatten().find(whole);
    if found.is_none() {
        assert!(std::env::var_os("MAINS_REQUIRE_ALL").is_none_or(|v| v != "1"), "{test} needs the weights");
        println!("left out: {test} needs the weights of {MODEL}");
    }
    found
}

fn configure(folder: &Path) {
    let config = format!(
        "[serve]\nlisten = \"127.0.0.1:0\"\ndata = \"data\"\n[[upstream]]\nname = \"here\"\nprovider = \"local\"\n\
         [[route]]\nmodel = \"{MODEL}\"\ntargets = [\"here/{MODEL}\"]\n"
    );
    std::fs::write(folder.join("mains.toml"), config).unwrap();
}

#[test]
fn the_outlet_gives_the_vectors_of_the_encoder_to_the_bit() {
    let Some(models) = models_folder("the_outlet_gives_the_vectors_of_the_encoder_to_the_bit") else {
        return;
    };
    let folder = temporary();
    let data = folder.path().join(".local/share/mains");
    std::fs::create_dir_all(&data).unwrap();
    std::os::unix::fs::symlink(&models, data.join("models")).unwrap();
    configure(folder.path());
    let mut process = Running::start(folder.path(), &["serve"]);
    let address = address(&process.err_until("mains serves"));
    let long = "a long story ".repeat(300);
    let texts = ["The fuse has blown.", "Die Sicherung ist raus.", "", &long];
    let body = serde_json::json!({"model": MODEL, "input": texts}).to_string();
    let reply = http(&address, "POST", "/v1/embeddings", None, &body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answer = reply.json();
    let source = EncoderSource::known(models::find(MODEL).unwrap(), &models).unwrap();
    let encoder = Embedder::load(&source, 1).unwrap();
    let expected = encoder.embed_until(&texts, &|| false).unwrap().unwrap();
    for (index, vector) in expected.vectors.iter().enumerate() {
        let got: Vec<f32> = serde_json::from_value(answer["data"][index]["embedding"].clone()).unwrap();
        assert_eq!(&got, vector, "{index}");
    }
    assert_eq!(answer["usage"]["prompt_tokens"], expected.tokens.iter().sum::<usize>());
    let losses = reply.header("x-mains-losses");
    assert!(
        losses.contains("input[3]") && losses.contains("256") && !losses.contains("input[0]"),
        "{losses}"
    );
    let record = get(&address, &format!("/mains/v1/requests/{}", reply.header("x-request-id"))).json();
    assert_eq!(record["result"], "ok", "{record}");
    assert!(record.to_string().contains("energy"), "{record}");
    let refused = ask(&address, MODEL, None);
    assert!(refused.status == 400 && refused.body.contains("it cannot do: generation"), "{}", refused.body);
}

#[test]
fn an_encoder_with_a_file_missing_is_not_served() {
    let folder = temporary();
    configure(folder.path());
    let models = folder.path().join(".local/share/mains/models").join(MODEL);
    std::fs::create_dir_all(&models).unwrap();
    std::fs::write(models.join("model.safetensors"), "weights").unwrap();
    let ran = Running::start(folder.path(), &["serve"]).ended().ends(2);
    assert!(
        ran.err.contains("tokenizer.json` is missing") && ran.err.contains("hint: fetch it"),
        "{}",
        ran.err
    );
}
