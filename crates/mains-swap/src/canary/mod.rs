//! A switch in steps: how much of the traffic the new model gets, when it gets more, and when it gets none again.
//!
//! Read `plan` (what is asked of a switch), `observation` (what is seen of one request), `counts` (all that is
//! kept), `wealth` (what the counts prove), then `state` (the course: step, whole, rolled back) and `reading` (the
//! figures beside each other).
//!
//! The idea. Each request goes to the new model by a coin of known chance `p`. Let `x` be 1 where a request went
//! badly. Then `Z = x/p` for the new model's requests and `-x/(1-p)` for the old one's has as its mean the
//! difference of both shares, whatever the traffic does meanwhile: an outage that hits both hits both. If the new
//! model is worse by no more than the margin, bets against that earn nothing on average, and the chance that they
//! ever multiply a capital by `metrics / alpha` is at most `alpha / metrics` for each metric (Ville 1939), so at
//! most `alpha` for all of them and all looks together. Cost and length are compared the same way, as parts of a
//! scale, after the new model's have been divided by what the test measured and the tolerance allows.
//!
//! An old model that fails is no proof against the new one: see `stand-ins` in `observation`.

mod counts;
mod observation;
mod plan;
mod reading;
mod state;
mod wealth;

pub use observation::{Arm, Observation};
pub use plan::{Limits, Metric, Plan, Watched};
pub use reading::{ArmReading, Reading};
pub use state::{Canary, Event, Reason, Stage, WholeBecause};
