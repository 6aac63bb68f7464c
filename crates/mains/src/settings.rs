//! Where the settings come from: flags, then `MAINS_*` variables, then one file, then defaults.

use crate::print::Trouble;
use mains_config::{Layers, Settings};
use mains_units::{Day, Timestamp};
use std::path::{Path, PathBuf};

/// The name that a configuration has when nobody names it.
pub(crate) const FILE_NAME: &str = "mains.toml";

/// No configuration is longer; a file that is was named by mistake.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// The settings, and the file that they come from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// What holds.
    pub(crate) settings: Settings,
    /// The file.
    pub(crate) path: PathBuf,
    /// Its folder, where relative paths of `file:` keys begin.
    pub(crate) base_folder: PathBuf,
}

/// Reads the file named by `config`, or else the first that [`find`] comes by. `flags` are pairs of a dotted
/// path and a value, as [`Layers::flags`] takes them.
pub(crate) fn load(config: Option<&Path>, flags: Vec<(String, String)>) -> Result<Loaded, Trouble> {
    let Some(path) = find(config)? else {
        return Err(Trouble::new("no `mains.toml` here, above, in your settings or in /etc/mains").hint(
            "`mains scan --write mains.toml` writes one for your code, `mains up` tries everything at once",
        ));
    };
    let text = read(&path)?;
    let settings = mains_config::parse_layered(&text, &path.display().to_string(), &layers(flags))
        .map_err(|errors| Trouble::rendered(errors.to_string()))?;
    let base_folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok(Loaded { settings, path, base_folder })
}

/// The settings without any file: flags, variables and defaults.
pub(crate) fn defaults(flags: Vec<(String, String)>) -> Result<Settings, Trouble> {
    mains_config::parse_layered("", "defaults", &layers(flags))
        .map_err(|errors| Trouble::rendered(errors.to_string()))
}

/// The file that holds: the one that was named, which must exist; else `mains.toml` here or above, up to the
/// root of the repository; else the user's; else the system's.
pub(crate) fn find(config: Option<&Path>) -> Result<Option<PathBuf>, Trouble> {
    if let Some(named) = config {
        return Ok(Some(named.to_owned()));
    }
    let here = std::env::current_dir()?;
    if let Some(levels) = in_or_above(&here) {
        // Shown as short as it was found.
        return Ok(Some(std::iter::repeat_n("..", levels).collect::<PathBuf>().join(FILE_NAME)));
    }
    Ok(users_and_systems().into_iter().find(|path| path.is_file()))
}

/// How many levels up the nearest `mains.toml` stands; it is not looked for beyond the root of the
/// repository, and where there is no repository not above at all, because a stranger could have put it there.
fn in_or_above(here: &Path) -> Option<usize> {
    let root = here.ancestors().position(|folder| folder.join(".git").exists()).unwrap_or(0);
    here.ancestors().take(root + 1).position(|folder| folder.join(FILE_NAME).is_file())
}

/// The folder that a variable names; a relative one counts for nothing, as the base directory specification says.
fn absolute(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Where the key of the vault lies when the settings name no place for it: in the user's state folder.
pub(crate) fn vault_key() -> Option<PathBuf> {
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.map(|folder| folder.join("mains/vault.key"))
}

/// A moment as a flag names it: a day, which begins at midnight UTC, or a whole RFC 3339 time in UTC.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let epoch = Timestamp(0).day();
    let midnight = |day: Day| Timestamp(epoch.days_until(day).saturating_mul(86_400_000));
    let wrong = || format!("`{text}` is no moment; write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ");
    let Some((day, time)) = text.split_once('T') else {
        return Day::parse(text).map(midnight).ok_or_else(wrong);
    };
    let day = Day::parse(day).ok_or_else(wrong)?;
    let milliseconds = time.strip_suffix('Z').and_then(of_day).ok_or_else(wrong)?;
    Ok(Timestamp(midnight(day).0.saturating_add(milliseconds)))
}

/// Milliseconds since midnight of `HH:MM:SS` or `HH:MM:SS.mmm`.
fn of_day(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "000"));
    let number = |text: &str, digits: usize, below: i64| {
        let sound = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|value: &i64| sound && *value < below)
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let whole = (number(hours, 2, 24)? * 60 + number(minutes, 2, 60)?) * 60 + number(seconds, 2, 60)?;
    Some(whole * 1_000 + number(fraction, 3, 1_000)?)
}

fn users_and_systems() -> Vec<PathBuf> {
    let user = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let user = user.map(|folder| folder.join("mains/config.toml"));
    user.into_iter().chain([PathBuf::from("/etc/mains/config.toml")]).collect()
}

fn read(path: &Path) -> Result<String, Trouble> {
    let shown = path.display();
    let length = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if length > FILE_BYTES_MAX {
        return Err(Trouble::new(format!("`{shown}` is too long to be a configuration: {length} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|b| *b == b'\n').count();
        Trouble::new(format!("`{shown}` is not UTF-8 text: the first strange byte is on line {line}"))
            .hint("save it again as UTF-8")
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    let trouble =
        Trouble::new(format!("failed to read `{}`: {}", path.display(), crate::print::lowered(error)));
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            trouble.hint("`mains scan --write mains.toml` writes one for the code here")
        }
        _ => trouble,
    }
}

fn layers(flags: Vec<(String, String)>) -> Layers {
    // Variables that are not text cannot be one of ours: those are ASCII in name and value.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("MAINS_"))
        .collect();
    Layers { flags, environment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_or_a_whole_time_in_utc() {
        for (text, written) in [
            ("2026-11-24", "2026-11-24T00:00:00.000Z"),
            ("2026-11-24T20:06:53Z", "2026-11-24T20:06:53.000Z"),
            ("2026-11-24T20:06:53.120Z", "2026-11-24T20:06:53.120Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(moment(text).map(|at| at.to_string()).as_deref(), Ok(written), "{text}");
        }
        for wrong in [
            "",
            "T",
            "yesterday",
            "2026-11-24T20:06Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T20:06:53",
            "2026-11-24T20:06:53.1Z",
            "2026-11-24T20:06:+3Z",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_looked_for_up_to_the_root_of_the_repository_and_no_further() {
        let outer = std::env::temp_dir().join(format!("mains-settings-{}", std::process::id()));
        let deep = outer.join("repository/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir_all(outer.join("repository/.git")).unwrap();
        std::fs::write(outer.join(FILE_NAME), "").unwrap();
        assert_eq!(in_or_above(&deep), None);
        std::fs::write(outer.join("repository").join(FILE_NAME), "").unwrap();
        assert_eq!(in_or_above(&deep), Some(2));
        std::fs::write(deep.join(FILE_NAME), "").unwrap();
        assert_eq!(in_or_above(&deep), Some(0));
        std::fs::remove_dir_all(&outer).unwrap();
    }
}
