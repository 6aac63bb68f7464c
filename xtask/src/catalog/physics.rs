//! Sizes of models, electricity mixes, machines and video regressions of EcoLogits.

use super::read::{Sources, items, line, members, text};
use serde_json::Value;

/// A number, or `min..max`.
fn bounds(value: &Value) -> Result<String, String> {
    if value.is_number() {
        return Ok(value.to_string());
    }
    match (&value["min"], &value["max"]) {
        (Value::Number(min), Value::Number(max)) => Ok(format!("{min}..{max}")),
        _ => Err(format!("ecologits: `{value}` is neither a number nor a range")),
    }
}

fn optional(value: &Value) -> String {
    if value.is_number() { value.to_string() } else { String::new() }
}

fn host(provider: &str) -> &str {
    match provider {
        "google_genai" => "google",
        "mistralai" => "mistral",
        "huggingface_hub" => "huggingface",
        other => other,
    }
}

pub(super) fn parameters(sources: &Sources) -> Result<String, String> {
    let mut rows = Vec::new();
    for model in items(&sources.parameters["models"]) {
        let parameters = &model["architecture"]["parameters"];
        let mixture = text(&model["architecture"], "type") == "moe";
        let total = bounds(if mixture { &parameters["total"] } else { parameters })?;
        let active = bounds(if mixture { &parameters["active"] } else { parameters })?;
        let estimated = items(&model["warnings"]).any(|warning| warning == "model-arch-not-released");
        let (provider, id) = (host(text(model, "provider")), text(model, "name"));
        let deployment = &model["deployment"];
        let published = if estimated { "no" } else { "yes" };
        let fields = [
            provider,
            id,
            &active,
            &total,
            published,
            &optional(&deployment["tps"]),
            &optional(&deployment["ttft"]),
            "E",
        ];
        rows.push(((id.to_ascii_lowercase(), provider.to_owned()), line(&fields)));
    }
    // An alias has the size of what it stands for.
    for alias in items(&sources.parameters["aliases"]) {
        let (provider, name) = (host(text(alias, "provider")), text(alias, "name"));
        let of = (text(alias, "alias").to_ascii_lowercase(), provider.to_owned());
        let Some((_, same)) = rows.iter().find(|(key, _)| *key == of) else {
            return Err(format!("ecologits: the alias {name} stands for an unknown model"));
        };
        let rest = same.splitn(3, ',').nth(2).unwrap_or("").to_owned();
        rows.push(((name.to_ascii_lowercase(), provider.to_owned()), format!("{provider},{name},{rest}")));
    }
    rows.sort();
    let heading =
        "provider,id,active_billion,total_billion,published,tokens_per_second,first_token_s,source\n";
    Ok(rows.into_iter().fold(heading.to_owned(), |made, (_, row)| made + &row))
}

pub(super) fn grid(sources: &Sources) -> Result<String, String> {
    let mut rows = Vec::new();
    for mix in items(&sources.mixes["electricity_mixes"]) {
        let averages: Vec<&str> = items(&mix["warnings"])
            .filter_map(|warning| warning.as_str()?.strip_prefix("electricity-mix-")?.strip_suffix("-world"))
            .collect();
        let [gwp, adpe, pe, wue] = ["gwp", "adpe", "pe", "wue"].map(|name| optional(&mix[name]));
        let zone = text(mix, "name");
        if zone.is_empty() || gwp.is_empty() || wue.is_empty() {
            return Err(format!("ecologits: the mix of `{zone}` lacks figures"));
        }
        rows.push(line(&[zone, &gwp, &adpe, &pe, &wue, &averages.join("|"), "E"]));
    }
    rows.sort();
    Ok(format!(
        "zone,gwp_kg_per_kwh,adpe_kg_sb_per_kwh,pe_mj_per_kwh,wue_l_per_kwh,world_average,source\n{}",
        rows.concat()
    ))
}

pub(super) fn hardware(sources: &Sources) -> Result<String, String> {
    let mut made = "id,accelerators,power_w,power_mean_w,server_gwp_kg,server_adpe_kg_sb,server_pe_mj,\
                    accelerator_gwp_kg,accelerator_adpe_kg_sb,accelerator_pe_mj,source\n"
        .to_owned();
    for (id, machine) in members(&sources.videos["hardware_configurations"]) {
        let power = &machine["server_power"];
        let embodied = |part: &str| ["gwp", "adpe", "pe"].map(|name| optional(&machine[part][name]));
        let (server, accelerator) = (embodied("server_embodied"), embodied("accelerator_embodied"));
        let range = format!("{}..{}", optional(&power["p2_5"]), optional(&power["p97_5"]));
        let (count, mean) = (optional(&machine["number_of_accelerators"]), optional(&power["mean"]));
        let mut fields = vec![id, &count, &range, &mean];
        fields.extend(server.iter().chain(&accelerator).map(String::as_str));
        fields.push("E");
        if fields.iter().any(|field| field.is_empty()) {
            return Err(format!("ecologits: the machine `{id}` lacks figures"));
        }
        made.push_str(&line(&fields));
    }
    Ok(made)
}

pub(super) fn video(sources: &Sources) -> Result<String, String> {
    let mut rows = Vec::new();
    for model in items(&sources.videos["models"]) {
        let regression = &model["regression_parameters"];
        let numbers = ["n", "m", "m1", "m2", "n1", "n2", "g", "non_audio_weight"]
            .map(|name| optional(&regression[name]));
        let can = &model["capabilities"];
        let size = |size: &Value| format!("{}x{}", size[0], size[1]);
        let resolutions = items(&can["resolutions"]).map(size).collect::<Vec<_>>().join("|");
        let frames = items(&can["frames_count"]).map(ToString::to_string).collect::<Vec<_>>().join("|");
        let audio = if can["audio_generation"] == true { "yes" } else { "no" };
        let mut fields = vec![text(model, "provider"), text(model, "model_name")];
        fields.extend(numbers.iter().map(String::as_str));
        fields.extend([audio, &resolutions, &frames, text(model, "hardware"), "E"]);
        if numbers.iter().any(String::is_empty) {
            return Err(format!("ecologits: the video model {} lacks figures", fields[1]));
        }
        rows.push(line(&fields));
    }
    rows.sort();
    Ok(format!(
        "provider,id,n,m,m1,m2,n1,n2,g,non_audio_weight,audio,resolutions,frames,hardware,source\n{}",
        rows.concat()
    ))
}

/// Where EcoLogits 0.11.3 assumes the providers' machines to stand: text providers, then video providers.
const SITES: [[&str; 4]; 12] = [
    ["alibaba", "SGP", "1.2", "0.569"],
    ["anthropic", "USA", "1.09..1.14", "0.13..0.999"],
    ["bytedance", "SGP", "1.2", "0.5"],
    ["cohere", "USA", "1.09", "0.999"],
    ["google", "USA", "1.09", "0.999"],
    ["huggingface", "USA", "1.09..1.14", "0.13..0.99"],
    ["klingai", "SGP", "1.2", "0.5"],
    ["lightricks", "USA", "1.09..1.14", "0.13..0.999"],
    ["mistral", "SWE", "1.16", "0.09"],
    ["openai", "USA", "1.2", "0.569"],
    ["runway", "USA", "1.09..1.14", "0.13..0.999"],
    ["tencent", "SGP", "1.2", "0.569"],
];

pub(super) fn sites() -> String {
    let rows = SITES.map(|[host, zone, pue, wue]| line(&[host, zone, pue, wue, "E"]));
    format!("host,zone,pue,wue_l_per_kwh,source\n{}", rows.concat())
}
