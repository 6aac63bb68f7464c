//! The two pictures, as SVG.

use mains_distill::certificate::{Certificate, Promise};
use mains_distill::training::{Bin, Curve, Point};
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const FLOOR: f64 = 44.0;

/// Places on the paper, for shares between nothing and `high`.
struct Frame {
    width: f64,
    x_high: f64,
    y_high: f64,
}

impl Frame {
    fn x(&self, share: f64) -> f64 {
        LEFT + (self.width - LEFT - RIGHT) * (share / self.x_high).clamp(0.0, 1.0)
    }

    fn y(&self, share: f64) -> f64 {
        TOP + (HEIGHT - TOP - FLOOR) * (1.0 - (share / self.y_high).clamp(0.0, 1.0))
    }

    fn axes(&self, out: &mut String, x_name: &str, y_name: &str) {
        let (right, base) = (self.width - RIGHT, HEIGHT - FLOOR);
        // Writing to a string cannot fail.
        for step in 0..=4 {
            let share = self.y_high * f64::from(step) / 4.0;
            let y = self.y(share);
            let _ = write!(
                out,
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                percent(share)
            );
            let share = self.x_high * f64::from(step) / 4.0;
            let anchor = if step == 4 { "end" } else { "middle" };
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                self.x(share),
                base + 18.0,
                percent(share)
            );
        }
        let _ = write!(
            out,
            "<text x=\"{LEFT}\" y=\"{:.1}\">{x_name}</text><text x=\"{:.1}\" y=\"{:.1}\" class=\"name\">{y_name}</text>",
            HEIGHT - 6.0,
            LEFT + 8.0,
            TOP + 12.0
        );
    }
}

fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn part(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

/// Share answered here against the share that differs, with the promised bound and the chosen threshold.
pub(super) fn curve(curve: &Curve, served: &Certificate) -> String {
    let of_all = served.terms.promise == Promise::AllTraffic;
    let place = |point: &Point| {
        let differs = part(point.differs, if of_all { point.of } else { point.local });
        (part(point.local, point.of), differs)
    };
    let eps = served.terms.eps();
    let highest =
        curve.calibration.iter().chain(&curve.audit).map(|point| place(point).1).fold(0.0, f64::max);
    // The bound shall stand well inside, and what is far above it says no more.
    let frame = Frame { width: WIDTH, x_high: 1.0, y_high: highest.clamp(eps * 2.0, eps * 6.0) };
    let line = |points: &[Point], class: &str| {
        let corners: Vec<String> =
            points.iter().map(place).map(|(x, y)| format!("{:.1},{:.1}", frame.x(x), frame.y(y))).collect();
        format!("<polyline class=\"{class}\" points=\"{}\"/>", corners.join(" "))
    };
    let mut out = open(WIDTH, "curve-title", "Share answered here against the share that differs");
    let name = if of_all { "of all answers differ" } else { "of the answers given here differ" };
    frame.axes(&mut out, "answered here", name);
    let y = frame.y(eps);
    let _ = write!(
        out,
        "<line class=\"margin\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"margin-name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">at most {}</text>",
        WIDTH - RIGHT,
        WIDTH - RIGHT,
        y - 6.0,
        percent(eps)
    );
    out.push_str(&line(&curve.calibration, "estimate"));
    out.push_str(&line(&curve.audit, "audit"));
    if let Some(threshold) = served.threshold_micro() {
        for (points, class) in [(&curve.calibration, "dot"), (&curve.audit, "dot audit-dot")] {
            // The last of those at or above the threshold is what it answers.
            let at = points.iter().filter(|point| point.threshold_micro >= threshold);
            if let Some((x, y)) = at.max_by_key(|point| point.local).map(place) {
                let _ = write!(
                    out,
                    "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\"/>",
                    frame.x(x),
                    frame.y(y)
                );
            }
        }
    }
    out.push_str("</svg>");
    out
}

/// Confidence against agreement: rows on the diagonal mean what they say.
pub(super) fn reliability(bins: &[Bin]) -> String {
    const SQUARE: f64 = 420.0;
    let frame = Frame { width: SQUARE, x_high: 1.0, y_high: 1.0 };
    let mut out = open(SQUARE, "reliability-title", "Confidence against agreement with the teacher");
    frame.axes(&mut out, "confidence", "agree with the teacher");
    let _ = write!(
        out,
        "<line class=\"margin\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        frame.x(0.0),
        frame.y(0.0),
        frame.x(1.0),
        frame.y(1.0)
    );
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1);
    for bin in bins.iter().filter(|bin| bin.rows > 0) {
        let (low, high) = (bin.low_micro as f64 / 1e6, bin.high_micro as f64 / 1e6);
        let right = part(bin.right, bin.rows);
        let (x, y) = (frame.x(low), frame.y(right));
        let _ = write!(
            out,
            "<rect class=\"band\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{} of {} rows agree</title></rect>",
            x + 1.0,
            (frame.x(high) - x - 2.0).max(1.0),
            HEIGHT - FLOOR - y,
            bin.right,
            bin.rows
        );
        let mean = bin.mean_confidence_micro.map_or(f64::midpoint(low, high), |mean| mean as f64 / 1e6);
        let radius = 3.0 + 5.0 * part(bin.rows, most).sqrt();
        let _ = write!(
            out,
            "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>",
            frame.x(mean)
        );
    }
    out.push_str("</svg>");
    out
}

fn open(width: f64, id: &str, title: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}\"><title id=\"{id}\">{title}</title>"
    )
}
