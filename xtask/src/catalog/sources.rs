//! What every source code in the data files stands for.

use super::READ_ON;
use super::lifecycle::Life;
use super::read::line;

const DATA_SETS: [[&str; 4]; 6] = [
    [
        "E",
        "EcoLogits 0.11.3: model sizes, electricity mixes, video regressions",
        "MPL-2.0; sizes are carried as facts; files under mpl/ stay under MPL-2.0",
        "https://github.com/genai-impact/ecologits",
    ],
    ["G", "genai-prices, by Pydantic", "MIT", "https://github.com/pydantic/genai-prices"],
    [
        "H",
        "set down by hand from the providers' public API references; not read again on that day",
        "ours",
        "",
    ],
    ["L", "LiteLLM 1.109.1, model_prices_and_context_window", "MIT", "https://github.com/BerriAI/litellm"],
    ["M", "models.dev; newest entry of the copy is of 2026-06-30", "MIT", "https://models.dev"],
    [
        "R",
        "a rule of ours: a dated id is a snapshot of the id without the date, where the host has both",
        "ours",
        "",
    ],
];

pub(super) fn text(life: &Life) -> String {
    let mut made = "code,name,licence,read,origin\n".to_owned();
    for [code, name, licence, origin] in DATA_SETS {
        made.push_str(&line(&[code, name, licence, READ_ON, origin]));
    }
    for (source, (code, read)) in &life.codes {
        let licence = if source.contains("deprecations.info feed") {
            "MIT, deprecations.info feed (deprecations/deprecations-rss); facts of the page it observed"
        } else if source.starts_with("litellm") {
            "MIT, LiteLLM"
        } else {
            "facts; the table is ours"
        };
        let origin = source.split([' ', ')']).find(|word| word.starts_with("https://")).unwrap_or("");
        // The address stands in its own column; the name keeps the rest.
        let name =
            if source == origin { source.trim_start_matches("https://").split('/').next() } else { None };
        made.push_str(&line(&[code, name.unwrap_or(source), licence, read, origin]));
    }
    made
}
