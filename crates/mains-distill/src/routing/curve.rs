//! What a router earns at every share of calls.
//!
//! `PGR(c)` is how much of the way from the weak model's quality to the strong one's is covered when the share `c` of
//! texts, those with the highest scores, goes to the strong model. `APGR` is its mean over all `c` from 0 to 1: 0.5 for a
//! router that draws lots. `CPT(x)` is the least share of calls at which `PGR` is `x`. (Ong et al., arXiv 2406.18665;
//! there with ten values of `c`, here with all of them.)

/// What stands on one text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Item {
    /// Strong less weak.
    pub(super) gain: f64,
    /// What the strong model costs more than the weak one.
    pub(super) extra: f64,
}

/// Texts in the order in which a router sends them to the strong model. Of texts with one score a share goes there, as
/// if lots were drawn.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Highest score first.
    places: Vec<usize>,
    /// Where each run of equal scores ends.
    ends: Vec<usize>,
}

impl Order {
    pub(super) fn by(scores: &[f64]) -> Self {
        let mut places: Vec<usize> = (0..scores.len()).collect();
        places.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let differs = |at: &usize| *at == places.len() || scores[places[*at]] < scores[places[*at - 1]];
        let ends = (1..=places.len()).filter(differs).collect();
        Self { places, ends }
    }

    /// The runs of equal scores, each summed up; `times` says how often each text counts.
    fn runs<'o>(&'o self, items: &'o [Item], times: &'o [u32]) -> impl Iterator<Item = Run> + 'o {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let mut run = Run::default();
            for place in &self.places[start..*end] {
                let times = f64::from(times[*place]);
                run.texts += times;
                run.gain += times * items[*place].gain;
                run.extra += times * items[*place].extra;
            }
            start = *end;
            run
        })
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Run {
    texts: f64,
    gain: f64,
    extra: f64,
}

/// What one order of texts comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Earned {
    /// APGR.
    pub(super) apgr: f64,
    /// CPT(50 %).
    pub(super) calls_50: f64,
    /// CPT(80 %).
    pub(super) calls_80: f64,
    /// What is spent above the weak model alone at CPT(80 %), a text.
    pub(super) extra_80: f64,
}

impl Earned {
    /// `None` where the strong model is no better than the weak one: then nothing can be recovered.
    pub(super) fn of(order: &Order, items: &[Item], times: &[u32]) -> Option<Self> {
        let mut all = Run::default();
        for (item, times) in items.iter().zip(times) {
            let times = f64::from(*times);
            all.texts += times;
            all.gain += times * item.gain;
        }
        if all.gain <= 0.0 {
            return None;
        }
        let (mut area, mut so_far) = (0.0, Run::default());
        let (mut at_50, mut at_80) = (None, None);
        for run in order.runs(items, times) {
            area += run.texts * (so_far.gain + run.gain / 2.0);
            for (at, share) in [(&mut at_50, 0.5), (&mut at_80, 0.8)] {
                if at.is_none() && so_far.gain + run.gain >= share * all.gain {
                    // Within a run the curve is a straight line.
                    let part = (share * all.gain - so_far.gain) / run.gain;
                    *at = Some((so_far.texts + part * run.texts, so_far.extra + part * run.extra));
                }
            }
            so_far.texts += run.texts;
            so_far.gain += run.gain;
            so_far.extra += run.extra;
        }
        // Sums in another order may miss the last text by a rounding.
        let end = (so_far.texts, so_far.extra);
        let ((calls_50, _), (calls_80, extra_80)) = (at_50.unwrap_or(end), at_80.unwrap_or(end));
        Some(Self {
            apgr: area / all.texts / all.gain,
            calls_50: calls_50 / all.texts,
            calls_80: calls_80 / all.texts,
            extra_80: extra_80 / all.texts,
        })
    }
}

/// The standing of each score among those of its own part, between 0 and 1, equal scores alike: routers that learned
/// from different rows have different levels, and only their order counts.
pub(super) fn standings(scores: &[f64], parts: &[Vec<usize>]) -> Vec<f64> {
    let mut standings = vec![0.0; scores.len()];
    for part in parts {
        let mut places = part.clone();
        places.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        let mut below = 0;
        for run in places.chunk_by(|a, b| scores[*a].total_cmp(&scores[*b]).is_eq()) {
            let middle = below as f64 + run.len() as f64 / 2.0;
            for place in run {
                standings[*place] = middle / part.len() as f64;
            }
            below += run.len();
        }
    }
    standings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(gains: &[f64]) -> Vec<Item> {
        gains.iter().map(|gain| Item { gain: *gain, extra: 1.0 }).collect()
    }

    fn earned(scores: &[f64], gains: &[f64], times: &[u32]) -> Option<Earned> {
        Earned::of(&Order::by(scores), &items(gains), times)
    }

    fn near(found: Option<Earned>, apgr: f64, calls_50: f64, calls_80: f64) {
        let found = found.unwrap();
        for (found, expected) in [
            (found.apgr, apgr),
            (found.calls_50, calls_50),
            (found.calls_80, calls_80),
            (found.extra_80, calls_80),
        ] {
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        }
    }

    #[test]
    fn figures_are_those_of_the_definition() {
        // Two of four texts gain. Both first: the way is done at half of the calls.
        near(earned(&[4.0, 3.0, 2.0, 1.0], &[1.0, 1.0, 0.0, 0.0], &[1; 4]), 0.75, 0.25, 0.4);
        // Both last.
        near(earned(&[1.0, 2.0, 3.0, 4.0], &[1.0, 1.0, 0.0, 0.0], &[1; 4]), 0.25, 0.75, 0.9);
        // One score for all is a draw of lots, whatever the order of the rows.
        near(earned(&[1.0; 4], &[1.0, 1.0, 0.0, 0.0], &[1; 4]), 0.5, 0.5, 0.8);
        // A text on which the strong model is worse: the way is done before the end, and given back.
        near(earned(&[4.0, 3.0, 2.0, 1.0], &[1.0, 1.0, 0.0, -1.0], &[1; 4]), 1.375, 0.125, 0.2);
        // A text that counts twice is two texts.
        near(
            earned(&[3.0, 2.0, 1.0], &[1.0, 0.0, 1.0], &[2, 1, 1]),
            earned(&[3.0, 3.0, 2.0, 1.0], &[1.0, 1.0, 0.0, 1.0], &[1; 4]).unwrap().apgr,
            0.375,
            0.75 + 0.25 * 0.4,
        );
        assert_eq!(earned(&[1.0, 2.0], &[1.0, -1.0], &[1; 2]), None, "nothing to recover");
    }

    #[test]
    fn standings_forget_the_level_of_a_part() {
        let standings = standings(&[10.0, 11.0, 0.5, 0.1, 0.1], &[vec![0, 1], vec![2, 3, 4]]);
        assert_eq!(standings, [0.25, 0.75, 2.5 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
    }
}
