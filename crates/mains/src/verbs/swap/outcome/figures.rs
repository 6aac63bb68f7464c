//! What both models take, beside each other: as asked in the test, else as recorded.

use crate::verbs::swap::requests::{Item, Recorded};
use crate::verbs::swap::state::{Answered, Side, State};
use mains_swap::report::{Beside, Costs};

/// One answer's figures.
#[derive(Default, Clone)]
struct Figure {
    nano_usd: Option<u64>,
    first_ms: Option<u64>,
    took_ms: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    energy_mj: Option<[u64; 3]>,
    energy_grade: Option<String>,
}

/// Figures of the answers to these items. A recorded answer's are the record's own.
pub(in super::super) fn beside(items: &[&Item], state: &State) -> Beside {
    let asked = |side| state.answers(side).filter(|answer| answer.status == 200).map(Figure::from);
    let recorded =
        items.iter().filter(|item| item.reference.is_some()).map(|item| Figure::from(&item.recorded));
    let old: Vec<Figure> = recorded.chain(asked(Side::Old)).chain(asked(Side::Again)).collect();
    Beside { old: costs(&old), new: costs(&asked(Side::New).collect::<Vec<_>>()) }
}

impl From<&Answered> for Figure {
    fn from(answer: &Answered) -> Self {
        Self {
            nano_usd: answer.nano_usd,
            first_ms: answer.first_ms,
            took_ms: Some(answer.took_ms),
            input_tokens: answer.input_tokens,
            output_tokens: answer.output_tokens,
            energy_mj: answer.energy_mj,
            energy_grade: answer.energy_grade.clone(),
        }
    }
}

impl From<&Recorded> for Figure {
    fn from(recorded: &Recorded) -> Self {
        Self {
            nano_usd: recorded.nano_usd,
            first_ms: recorded.first_ms,
            took_ms: recorded.took_ms,
            input_tokens: recorded.input_tokens,
            output_tokens: recorded.output_tokens,
            ..Self::default()
        }
    }
}

fn costs(figures: &[Figure]) -> Costs {
    let mj = |end: usize| per_1000(figures, |figure| figure.energy_mj.map(|range| range[end]));
    let energy = match (mj(0), mj(1), mj(2)) {
        (Some(low), Some(central), Some(high)) => Some([low, central, high]),
        _ => None,
    };
    Costs {
        nano_usd_per_1000: per_1000(figures, |figure| figure.nano_usd),
        first_ms_p50: median(figures, |figure| figure.first_ms),
        total_ms_p50: median(figures, |figure| figure.took_ms),
        mj_per_1000: energy,
        // The worst grade of all: letters come in that order.
        input_per_1000: per_1000(figures, |figure| figure.input_tokens),
        output_per_1000: per_1000(figures, |figure| figure.output_tokens),
        energy_grade: energy
            .and_then(|_| figures.iter().filter_map(|figure| figure.energy_grade.clone()).max()),
    }
}

/// The mean of a thousand, over the answers that tell it; absent where most do not.
fn per_1000(figures: &[Figure], of: impl Fn(&Figure) -> Option<u64>) -> Option<u64> {
    let known: Vec<u64> = figures.iter().filter_map(of).collect();
    if known.is_empty() || known.len() * 2 < figures.len() {
        return None;
    }
    let sum: u128 = known.iter().map(|one| u128::from(*one)).sum();
    u64::try_from(sum * 1_000 / known.len() as u128).ok()
}

fn median(figures: &[Figure], of: impl Fn(&Figure) -> Option<u64>) -> Option<u64> {
    let mut known: Vec<u64> = figures.iter().filter_map(of).collect();
    known.sort_unstable();
    known.get(known.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_means_and_medians_of_what_is_known() {
        let one = |nano, ms, mj: u64, grade: &str| Figure {
            nano_usd: nano,
            took_ms: Some(ms),
            energy_mj: Some([mj, mj * 2, mj * 4]),
            energy_grade: Some(grade.into()),
            ..Figure::default()
        };
        let all = [one(Some(10), 5, 1, "D"), one(None, 9, 3, "E"), one(Some(20), 7, 2, "D")];
        let costs = costs(&all);
        assert_eq!((costs.nano_usd_per_1000, costs.total_ms_p50), (Some(15_000), Some(7)));
        assert_eq!(costs.mj_per_1000, Some([2_000, 4_000, 8_000]));
        assert_eq!((costs.energy_grade.as_deref(), costs.first_ms_p50), (Some("E"), None));
        assert_eq!(per_1000(&all, |figure| figure.input_tokens), None);
    }
}
