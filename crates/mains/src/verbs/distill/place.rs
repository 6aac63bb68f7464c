//! Puts a labeller in front of its teacher in `mains.toml`, or takes it out.

use super::report::Document;
use super::shelf::{self, Shelf};
use crate::cli::DistillUse;
use crate::print::{Ended, Trouble};
use crate::verbs::swap::switch::file::File;
use mains_config::{Route, Settings, Target, closest};

pub(super) fn run(arguments: &DistillUse) -> Result<Ended, Trouble> {
    shelf::check_name(&arguments.name)?;
    let mut file = File::read(arguments.config.as_deref())?;
    let route = route(&file.settings, &arguments.route)?.clone();
    let label = Target::Label(arguments.name.clone());
    let model = arguments.route.as_str();
    if arguments.remove {
        if !file.draft.take_out(model, &label) {
            return Err(Trouble::new(format!("the route `{model}` has no target `{label}`"))
                .hint("`mains config show` prints the routes"));
        }
        file.write(&format!("`{model}`: {label} answers nothing any more"), arguments.yes)?;
        return file.tell(&arguments.data, None, None);
    }
    let document = certified(arguments)?;
    let next = next(&route, &label);
    if next.as_ref().is_none_or(|next| !is_teacher(next, &document.about.teacher)) {
        let is = next.map_or_else(|| "no single target".to_owned(), |next| format!("`{next}`"));
        return Err(Trouble::new(format!(
            "the labeller promises to differ little from `{}`, and the first target of `{model}` is {is}",
            document.about.teacher
        ))
        .hint("put the teacher first, or train on answers of the model that stands there"));
    }
    if !file.draft.put_first(model, &label) {
        return Err(Trouble::new(format!(
            "`{model}` does not stand under a `[[route]]` of its own, so it cannot be changed here"
        ))
        .hint("write the route as a `[[route]]` table"));
    }
    file.write(&format!("`{model}`: {label} in front of {}", document.about.teacher), arguments.yes)?;
    file.tell(&arguments.data, None, None)
}

/// The labeller's report, if its promise is shown and its file bears our signature.
fn certified(arguments: &DistillUse) -> Result<Document, Trouble> {
    let (shelf, name) = (Shelf::at(&arguments.data), &arguments.name);
    let path = shelf.file(name, "labeller");
    if !path.exists() {
        let trouble = Trouble::new(format!("no labeller is called `{name}`"));
        let known = shelf.labellers();
        return Err(match closest(name, known.iter().map(String::as_str)) {
            Some(near) => trouble.hint(format!("did you mean `{near}`?")),
            None => trouble.hint("`mains distill train TASK` makes one"),
        });
    }
    let (file, _) = shelf::labeller(&path)?;
    let key = shelf.verifier().ok_or_else(|| {
        Trouble::new("there is no key here to check the labeller's signature")
            .hint("`--data` names the outlet's data folder")
    })?;
    shelf::check_seal(&file, &key).map_err(|why| Trouble::new(format!("`{}`: {why}", path.display())))?;
    let document: Document = shelf::json(&shelf.file(name, "json"))?;
    if document.certificates.served().threshold_micro().is_none() {
        return Err(Trouble::new(format!("the promise of `{name}` was refused, so it may answer nothing"))
            .hint(format!("`{}` says why", shelf.file(name, "txt").display())));
    }
    Ok(document)
}

/// The one target that stands first beside the labeller.
fn next(route: &Route, label: &Target) -> Option<Target> {
    let pool = route.targets.iter().find(|pool| pool.iter().all(|member| member.target.value != *label))?;
    let [only] = pool.as_slice() else { return None };
    Some(only.target.value.clone())
}

/// A teacher is named as its model, or with its upstream.
fn is_teacher(target: &Target, teacher: &str) -> bool {
    match target {
        Target::Model { model, .. } => model == teacher || target.to_string() == teacher,
        Target::Label(_) => false,
    }
}

fn route<'s>(settings: &'s Settings, named: &str) -> Result<&'s Route, Trouble> {
    settings.route(named).ok_or_else(|| {
        let models = || settings.routes.iter().map(|route| route.model.value.as_str());
        let trouble = Trouble::new(format!("no route has the model `{named}`"));
        if let Some(near) = closest(named, models()) {
            return trouble.hint(format!("did you mean `{near}`?"));
        }
        let names: Vec<String> = models().take(12).map(|name| format!("`{name}`")).collect();
        trouble.hint(format!("there are {}", names.join(", ")))
    })
}
