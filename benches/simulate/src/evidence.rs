//! One run each of what evidence does: for the plot alone.

use crate::Effort;
use crate::guards::{BySequential, Contender};
use crate::plot::{self, Line};
use crate::traffic::{Scenario, Traffic};
use bluegreen::PerColor;

const TROUBLE_S: u64 = 300;
const END_S: u64 = 900;

pub fn run(effort: Effort) {
    if effort == Effort::Quick {
        return;
    }
    let lines = [
        ("canary at 10 % from minute 5", 0.01, 0.1),
        ("canary at 3 % from minute 5", 0.01, 0.03),
        ("equal colors at 1 %", 0.01, 0.01),
        ("both at 50 % from minute 5", 0.5, 0.5),
    ];
    let lines = lines.map(|(name, blue, green)| {
        let errors = move |second| match second < TROUBLE_S {
            true => PerColor {
                blue: 0.01,
                green: 0.01,
            },
            false => PerColor { blue, green },
        };
        let scenario = Scenario {
            errors: Box::new(errors),
            ..Scenario::steady(name, 50.0)
        };
        Line {
            name,
            points: points(&scenario),
        }
    });
    plot::evidence(&lines);
}

/// The evidence at each second, until it rolls back.
fn points(scenario: &Scenario) -> Vec<(f64, f64)> {
    let mut traffic = Traffic::new(scenario, 1);
    let mut guard = BySequential::new(365);
    let mut points = Vec::new();
    let mut is_over = false;
    for second in 0..END_S {
        if is_over {
            break;
        }
        traffic.advance(|tick| is_over |= guard.learn(tick));
        points.push((second as f64 / 60.0, guard.evidence_percent().into()));
    }
    points
}
