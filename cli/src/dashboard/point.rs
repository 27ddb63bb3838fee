//! How a rollout did at one moment: what charts are drawn from.

use crate::live::view::{ColorView, FigureView, RolloutView, ShadowView};
use bluegreen::PerColor;
use serde::Serialize;
use std::collections::BTreeMap;

/// One moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Each color.
    pub colors: PerColor<ColorPoint>,
    /// Evidence of the sequential guard that errors speak against the canary, in percent.
    pub errors_evidence: Option<f32>,
    /// The same of slow responses.
    pub slow_evidence: Option<f32>,
    /// Copies of requests a second.
    pub copies: Option<f32>,
    /// Those of them that failed.
    pub failed_copies: Option<f32>,
    /// How many requests the colors answer differently, in percent, and the ends of the interval.
    pub disagreement: Option<[f32; 3]>,
}

/// One color.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ColorPoint {
    /// The weight in force, in percent.
    pub weight: f32,
    /// Requests a second.
    pub rate: Option<f32>,
    /// Failed ones in percent.
    pub errors: Option<f32>,
    /// Slow ones in percent.
    pub slow: Option<f32>,
    /// The median of response start, in milliseconds.
    pub p50: Option<f32>,
    /// Its 99th percentile.
    pub p99: Option<f32>,
    /// F1 in percent, and the ends of its interval.
    pub f1: Option<[f32; 3]>,
    /// The median to the first byte of the body, in milliseconds.
    pub first_chunk_p50: Option<f32>,
    /// Its 95th percentile.
    pub first_chunk_p95: Option<f32>,
    /// Pieces of bodies a second.
    pub chunks: Option<f32>,
    /// The means of scores, and the ends of their intervals.
    pub scores: BTreeMap<String, [f32; 3]>,
}

// === impl Point ===

impl Point {
    /// Of a rollout in some Envoys. Rates add up, shares are those of all requests, and of times and evidence the worst
    /// counts, for these can't be added up.
    pub fn of(at_ms: u64, views: &[&RolloutView]) -> Option<Self> {
        if views.is_empty() {
            return None;
        }
        let evidence = |cause: &str| {
            let guards = views.iter().filter_map(|view| view.guard.as_ref());
            let causes = guards.flat_map(|guard| &guard.causes);
            let values = causes.filter(|it| it.cause == cause).map(|it| it.value);
            highest(values)
        };
        let shadows = || views.iter().filter_map(|view| view.shadow.as_ref());
        let disagreements = shadows().filter_map(|it| it.disagreement);
        let worst = disagreements.max_by(|one, other| one.percent.total_cmp(&other.percent));
        let copies = |rate: fn(&ShadowView) -> Option<f64>| sum(shadows().filter_map(rate));
        Some(Self {
            at_ms,
            colors: PerColor::from_fn(|color| {
                let colors: Vec<&ColorView> = views.iter().map(|it| it.colors.of(color)).collect();
                ColorPoint::of(&colors)
            }),
            errors_evidence: evidence("errors_sequential"),
            slow_evidence: evidence("slow_sequential"),
            copies: copies(|it| it.copies_per_second),
            failed_copies: copies(|it| it.failures_per_second),
            disagreement: worst.map(ends),
        })
    }
}

// === impl ColorPoint ===

impl ColorPoint {
    fn of(views: &[&ColorView]) -> Self {
        let all = || views.iter().copied();
        let count = all().count() as f64;
        let mut scores: BTreeMap<&String, _> = BTreeMap::new();
        for (name, score) in all().flat_map(|it| &it.scores) {
            let best = scores.entry(name).or_insert(score);
            if score.samples > best.samples {
                *best = score;
            }
        }
        let means = scores.into_iter().map(|(name, it)| {
            let ends = [it.mean, it.low, it.high].map(|it| it as f32);
            (name.clone(), ends)
        });
        let figure = all().max_by_key(|it| it.samples).and_then(|it| it.f1);
        Self {
            weight: (all().map(|it| it.weight_percent).sum::<f64>() / count) as f32,
            rate: sum(all().filter_map(|it| it.requests_per_second)),
            errors: share(all().map(|it| (it.error_percent, it.finished))),
            slow: share(all().map(|it| (it.slow_percent, it.finished))),
            p50: highest(all().map(|it| it.p50_ms)),
            p99: highest(all().map(|it| it.p99_ms)),
            f1: figure.map(ends),
            first_chunk_p50: highest(all().map(|it| it.first_chunk_p50_ms)),
            first_chunk_p95: highest(all().map(|it| it.first_chunk_p95_ms)),
            chunks: sum(all().filter_map(|it| it.chunks_per_second)),
            scores: means.collect(),
        }
    }
}

/// A figure with its interval.
fn ends(figure: FigureView) -> [f32; 3] {
    [figure.percent, figure.low_percent, figure.high_percent].map(|it| it as f32)
}

/// All together; none of none.
fn sum(rates: impl Iterator<Item = f64>) -> Option<f32> {
    rates.reduce(|sum, it| sum + it).map(|it| it as f32)
}

/// The highest of those that are there.
fn highest(values: impl Iterator<Item = Option<f64>>) -> Option<f32> {
    values.flatten().reduce(f64::max).map(|it| it as f32)
}

/// Percentages of so many, over all.
fn share(parts: impl Iterator<Item = (Option<f64>, u64)>) -> Option<f32> {
    let (mut sum, mut of) = (0.0, 0.0);
    for (percent, finished) in parts {
        if let Some(percent) = percent {
            sum += percent * finished as f64;
            of += finished as f64;
        }
    }
    (of > 0.0).then(|| (sum / of) as f32)
}
