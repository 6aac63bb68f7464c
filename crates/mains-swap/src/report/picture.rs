//! The interval as it narrowed, drawn as SVG.

use super::Report;
use crate::verdict::Ppm;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 12.0;
const FLOOR: f64 = 36.0;

/// Places on the paper.
struct Frame {
    n_max: f64,
    low: f64,
    high: f64,
}

impl Frame {
    fn x(&self, n: u64) -> f64 {
        LEFT + (WIDTH - LEFT - 12.0) * n as f64 / self.n_max
    }

    fn y(&self, points: f64) -> f64 {
        TOP + (HEIGHT - TOP - FLOOR) * (self.high - points) / (self.high - self.low)
    }
}

fn points(share: Ppm) -> f64 {
    share.0 as f64 / 1e4
}

/// The margin on the scale that is shown, in points.
pub(super) fn margin_shown(report: &Report) -> f64 {
    let margin = points(report.question.margin());
    if report.question.is_paired() { -margin } else { 100.0 - margin }
}

/// Draws the running interval, the estimate and the margin over the number of items; an empty text without looks.
pub(super) fn svg(report: &Report) -> String {
    let Some(last) = report.looks.last() else { return String::new() };
    let margin = margin_shown(report);
    let mut running = (f64::NEG_INFINITY, f64::INFINITY);
    let band: Vec<(u64, f64, f64)> = report
        .looks
        .iter()
        .map(|look| {
            running.0 = running.0.max(points(look.evidence.low));
            running.1 = running.1.min(points(look.evidence.high));
            (look.evidence.n, running.0, running.1)
        })
        .collect();
    // The first wild looks would flatten the rest: the frame fits the last three quarters of them.
    let fitted = &band[band.len() / 4..];
    let all = || fitted.iter().flat_map(|(_, low, high)| [*low, *high]).chain([margin]);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let room = ((high - low) * 0.08).max(0.5);
    let frame = Frame { n_max: last.evidence.n.max(1) as f64, low: low - room, high: high + room };
    let mut out = String::new();
    let clip = |points: f64| points.clamp(frame.low, frame.high);
    let corner = |n: u64, points: f64| format!("{:.1},{:.1} ", frame.x(n), frame.y(clip(points)));
    let upper: String = band.iter().map(|(n, _, high)| corner(*n, *high)).collect();
    let lower: String = band.iter().rev().map(|(n, low, _)| corner(*n, *low)).collect();
    let line: String = report
        .looks
        .iter()
        .filter_map(|look| Some(corner(look.evidence.n, points(look.evidence.estimate?))))
        .collect();
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"path-title\">\
         <title id=\"path-title\">The interval over the number of items</title>\
         <polygon class=\"band\" points=\"{upper}{lower}\"/><polyline class=\"estimate\" points=\"{line}\"/>"
    );
    axes(&mut out, &frame, margin, last.evidence.n);
    out.push_str("</svg>");
    out
}

fn axes(out: &mut String, frame: &Frame, margin: f64, n: u64) {
    let right = WIDTH - 12.0;
    let base = HEIGHT - FLOOR;
    let y = frame.y(margin);
    let _ = write!(
        out,
        "<line class=\"margin\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
         <text class=\"margin-name\" x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">margin</text>\
         <line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{base}\" y2=\"{base}\"/>",
        y - 5.0
    );
    for step in 0..=4 {
        let value = frame.low + (frame.high - frame.low) * f64::from(step) / 4.0;
        let y = frame.y(value);
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value:.1}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for share in [0, 1, 2, 3, 4] {
        let at = n * share / 4;
        let anchor = if share == 4 { "end" } else { "middle" };
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{at}</text>",
            frame.x(at),
            base + 18.0
        );
    }
    let _ = write!(out, "<text x=\"{LEFT}\" y=\"{:.1}\">items</text>", HEIGHT - 3.0);
}
