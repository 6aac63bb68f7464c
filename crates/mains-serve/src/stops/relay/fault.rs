//! From the wire's classes of faults to the relay's, and from pieces of a line to both.

use super::line::Piece;
use crate::network::Unsent;
use mains_relay::Fault;
use mains_units::{Span, Timestamp};
use mains_wire::error::{ProviderError, retry_after};
use mains_wire::fault::Fault as WireFault;

/// The relay's word for a fault of the wire. `inside`: it came within a reply whose status was good.
pub(super) fn to_relay(fault: WireFault, inside: bool) -> Fault {
    match fault {
        WireFault::Transient { .. } if inside => Fault::InBand,
        WireFault::Transient { .. } => Fault::Unavailable,
        WireFault::RateLimited { .. } => Fault::RateLimited,
        WireFault::Auth => Fault::Auth,
        WireFault::NoCredit => Fault::Billing,
        WireFault::ContextLength => Fault::ContextLength,
        WireFault::RetiredModel => Fault::Retired,
        WireFault::BadRequest | WireFault::Unsupported => Fault::Caller,
        WireFault::BrokenStream | WireFault::Cancelled => Fault::BrokenStream,
        WireFault::Timeout => Fault::FirstContentTimeout,
    }
}

/// Whether the caller is better served by these words of a lone target than by "all have failed".
pub(super) fn is_clear_word(fault: WireFault) -> bool {
    matches!(
        fault,
        WireFault::RetiredModel
            | WireFault::ContextLength
            | WireFault::RateLimited { .. }
            | WireFault::Unsupported
    )
}

/// An attempt that ended without a good reply: how, what the provider said, and when it wants to be asked again.
pub(super) fn of_piece(
    piece: &Piece,
    classify: impl Fn(&ProviderError) -> WireFault,
    now: Timestamp,
) -> Option<(Fault, ProviderError, WireFault, Option<Span>)> {
    let transient = WireFault::Transient { retry_after: None };
    let said = |fault, wire, text: &str| Some((fault, ProviderError::without_reply(text), wire, None));
    match piece {
        Piece::Unsent(Unsent::ConnectTimeout) => {
            said(Fault::ConnectTimeout, WireFault::Timeout, "no connection within the deadline")
        }
        Piece::Unsent(Unsent::Unreachable) => said(Fault::Unreachable, transient, "no connection"),
        Piece::Drilled => said(Fault::Unreachable, transient, "a drill keeps this target dead"),
        Piece::LocalFault(why) => said(Fault::Unavailable, transient, why),
        Piece::Refused { status, headers, body } => {
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            let wait = retry_after(text("retry-after-ms"), text("retry-after"), now);
            let error = ProviderError::read(*status, wait, body);
            let wire = classify(&error);
            Some((to_relay(wire, false), error, wire, wire.retry_after().or(wait)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_inside_a_good_reply_is_told_apart() {
        let transient = WireFault::Transient { retry_after: None };
        assert_eq!(to_relay(transient, true), Fault::InBand);
        assert_eq!(to_relay(transient, false), Fault::Unavailable);
        assert_eq!(to_relay(WireFault::RetiredModel, false), Fault::Retired);
    }
}
