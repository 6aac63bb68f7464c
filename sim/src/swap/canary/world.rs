//! Scripted traffic through a switch in steps: what each model does, and what happens to the traffic meanwhile.

use mains_swap::Ppm;
use mains_swap::canary::{Arm, Limits, Observation, Plan};
use mains_units::{Chance, NanoUsd, Span};

/// Requests in a run, one a second.
pub(super) const REQUESTS: u64 = 10_000;
/// What the test before the switch measured: the new model writes four fifths of the tokens, at two fifths of the
/// cost.
const TESTED_LENGTH: f64 = 0.8;
const TESTED_COST: f64 = 0.4;
/// Lengths of old answers in tokens, each as frequent as the others; the longest is beyond the scale.
const LENGTHS: [u32; 8] = [20, 40, 80, 120, 200, 320, 480, 640];
const NANO_USD_PER_TOKEN: f64 = 1_000.0;

/// Steps of 5, 25 and 50 % of a third of the run each, and the default limits of a switch.
pub(super) fn plan() -> Plan {
    Plan {
        steps: [50_000, 250_000, 500_000, 1_000_000].map(Ppm).to_vec(),
        hold: Span::from_s(REQUESTS / 3),
        requests_min: 100,
        whole_by: None,
        limits: Limits {
            alpha: Ppm::near(super::ALPHA),
            margin: Ppm::points(2),
            dearer: Ppm(250_000),
            longer: Ppm(500_000),
            cost_ratio: Some(Ppm::near(TESTED_COST)),
            cost_scale_nano: Some(480_000),
            length_ratio: Some(Ppm::near(TESTED_LENGTH)),
            length_scale: Some(480),
        },
    }
}

/// How often a model's requests go badly, and how its answers compare with what the test measured (1 is as tested).
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    pub fails: f64,
    pub breaks: f64,
    pub declines: f64,
    pub bad: f64,
    pub long: f64,
    pub dear: f64,
}

/// A model as it should be.
pub(super) const FINE: Model =
    Model { fails: 0.01, breaks: 0.005, declines: 0.01, bad: 0.10, long: 1.0, dear: 1.0 };

/// What happens meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meanwhile {
    /// Nothing.
    Calm,
    /// From request 2,000 to 4,000 both models fail 19 points more often.
    Outage,
    /// The old model fails always from request 5,000 on.
    OldDies,
    /// The new model is fine until request 4,000.
    LateFault,
}

/// A planted truth.
#[derive(Debug, Clone, Copy)]
pub(super) struct World {
    pub name: &'static str,
    pub new: Model,
    pub meanwhile: Meanwhile,
    /// The share of answers on which people give a verdict.
    pub verdicts: f64,
}

impl World {
    /// What a model does at this moment.
    pub(super) fn model(&self, arm: Arm, request: u64) -> Model {
        let mut model = if arm == Arm::New { self.new } else { FINE };
        match self.meanwhile {
            Meanwhile::Outage if (2_000..4_000).contains(&request) => model.fails += 0.19,
            Meanwhile::OldDies if arm == Arm::Old && request >= 5_000 => model.fails = 1.0,
            Meanwhile::LateFault if request < 4_000 => model = FINE,
            _ => {}
        }
        model
    }
}

impl Model {
    /// One request to it, and the verdict of a person where one gives it.
    pub(super) fn answer(&self, arm: Arm, verdicts: f64, chance: &mut Chance) -> (Observation, Option<bool>) {
        if chance.hits(self.fails) {
            return (Observation { failed: true, ..Observation::default() }, None);
        }
        let place = usize::try_from(chance.below(LENGTHS.len() as u64)).unwrap_or(0);
        let tokens = f64::from(LENGTHS[place]);
        let (long, dear) = match arm {
            Arm::Old => (1.0, 1.0),
            Arm::New => (TESTED_LENGTH * self.long, TESTED_COST * self.dear),
        };
        let observation = Observation {
            failed: false,
            schema_failed: Some(chance.hits(self.breaks)),
            refused: Some(chance.hits(self.declines)),
            output_tokens: Some(whole(tokens * long)),
            cost: Some(NanoUsd(whole(tokens * NANO_USD_PER_TOKEN * dear))),
        };
        let verdict = chance.hits(verdicts).then(|| !chance.hits(self.bad));
        (observation, verdict)
    }
}

fn whole(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, positive, rounded")]
    (value.round() as u64)
}
