//! Every intermediate value of the text method on all 648 rows.

use crate::rows::{number, read, same};
use mains_meter::ecologits::text::{Model, Request, request};
use mains_meter::ecologits::{Bounds, Mix, Site};

#[test]
fn every_step_of_the_method_agrees_on_all_rows() {
    let rows = read(include_str!("../data/golden_llm_dag.csv"));
    assert_eq!(rows.len(), 648);
    for row in &rows {
        let get = |name: &str| number(row, name).unwrap();
        let model = Model {
            active_b: Bounds::exactly(get("active_b")),
            total_b: Bounds::exactly(get("total_b")),
            tokens_per_s: number(row, "tps"),
            first_token_s: number(row, "ttft_s"),
        };
        let asked = Request {
            output_tokens: get("output_tokens"),
            latency_s: number(row, "request_latency_s").unwrap_or(f64::INFINITY),
            batch: get("batch_size"),
        };
        let site =
            Site { pue: Bounds::exactly(get("pue")), wue_l: Bounds::exactly(get("wue_onsite_l_per_kwh")) };
        let mix = Mix {
            gwp_kg: get("gwp_per_kwh"),
            adpe_kg: get("adpe_per_kwh"),
            primary_mj: get("pe_per_kwh"),
            water_l: get("wue_offsite_l_per_kwh"),
        };
        let (steps, high) = request(&model, &asked, &site, &mix);
        assert_eq!(steps, high, "exact inputs give one result");
        let impact = &steps.impact;
        same(row, "gpu_energy", steps.energy_per_token_kwh * asked.output_tokens);
        same(row, "generation_latency", steps.generation_s);
        same(row, "model_required_memory", steps.memory_gb);
        same(row, "gpu_required_count", steps.accelerators);
        same(row, "server_energy", steps.server_kwh);
        same(row, "request_it_energy", impact.it_energy_kwh);
        same(row, "request_energy", impact.energy_kwh);
        same(row, "request_usage_gwp", impact.use_gwp_kg);
        same(row, "request_usage_adpe", impact.use_adpe_kg);
        same(row, "request_usage_pe", impact.use_primary_mj);
        same(row, "request_usage_wcf", impact.water_l);
        same(row, "server_gpu_embodied_gwp", steps.hardware.gwp_kg);
        same(row, "request_embodied_gwp", impact.embodied.gwp_kg);
        same(row, "request_embodied_adpe", impact.embodied.adpe_kg);
        same(row, "request_embodied_pe", impact.embodied.primary_mj);
    }
}
