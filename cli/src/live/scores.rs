//! Scores of a rollout, and how near they are to their limits.

use crate::live::scrape::RolloutScrape;
use bluegreen::{Color, Quality, Score, ScoreLimit};
use serde::Serialize;
use std::collections::BTreeMap;

/// The mean of a score, and between what the true one is by all likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each is what its name says")]
pub struct ScoreView {
    pub samples: u64,
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// One limit of a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreLimitView {
    /// The score.
    pub score: String,
    /// Its name in the configuration.
    pub limit: &'static str,
    /// Whether the canary's mean must be `at least` or `at most` this.
    pub side: &'static str,
    /// The mean that is just allowed now; none where it depends on a mean of the stable color that is not there.
    pub bound: Option<f64>,
    /// `undecided`, `kept` or `broken`, where Envoy shows it.
    pub verdict: Option<&'static str>,
}

/// The scores of a color that have any.
pub fn of_color(scrape: &RolloutScrape, color: Color) -> BTreeMap<String, ScoreView> {
    let is_count = |name: &str, label: Option<&String>| {
        name == "bluegreen_score_samples" && label.is_some_and(|it| it == color.as_str())
    };
    let all = scrape.samples.iter();
    let counts = all.filter(|it| is_count(&it.name, it.labels.get("color")) && it.value > 0.0);
    let scores = counts.filter_map(|it| {
        let score = it.labels.get("score")?;
        let labels = [("color", color.as_str()), ("score", score.as_str())];
        let figure = |end: &str| {
            let name = format!("bluegreen_score_{end}_micro");
            Some(scrape.samples.sum(&name, &labels)? / 1e6)
        };
        let view = ScoreView {
            samples: it.value as u64,
            mean: figure("mean")?,
            low: figure("low")?,
            high: figure("high")?,
        };
        Some((score.clone(), view))
    });
    scores.collect()
}

/// The limits of scores.
pub fn limits(
    quality: &Quality,
    stable: &BTreeMap<String, ScoreView>,
    verdict: impl Fn(&str) -> Option<&'static str>,
) -> Vec<ScoreLimitView> {
    let of_score = |score: &Score| {
        let name = score.name.as_str().to_owned();
        let mean = stable.get(&name).map(|it| it.mean);
        let verdict = &verdict;
        let views = score.limits.given().map(move |limit| {
            let (side, bound) = bound(limit, mean);
            let verdict = verdict(&format!("{name}_{}", limit.as_str()));
            let (score, limit) = (name.clone(), limit.as_str());
            ScoreLimitView {
                score,
                limit,
                side,
                bound,
                verdict,
            }
        });
        views.collect::<Vec<_>>()
    };
    quality.scores.iter().flat_map(of_score).collect()
}

/// On which side of what the canary's mean must be, given the stable color's.
fn bound(limit: ScoreLimit, stable: Option<f64>) -> (&'static str, Option<f64>) {
    match limit {
        ScoreLimit::Min(min) => ("at least", Some(min.to_f64())),
        ScoreLimit::Max(max) => ("at most", Some(max.to_f64())),
        ScoreLimit::MaxDrop(drop) => ("at least", stable.map(|it| it - drop.to_f64())),
        ScoreLimit::MaxRise(rise) => ("at most", stable.map(|it| it + rise.to_f64())),
        ScoreLimit::MaxDropPercent(drop) => (
            "at least",
            stable.map(|it| it * (1.0 - f64::from(drop.millipercent()) / 100_000.0)),
        ),
        ScoreLimit::MaxRisePercent(rise) => ("at most", stable.map(|it| it * rise.ratio())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bluegreen::{Micro, Percent};

    #[test]
    fn a_limit_is_held_against_the_stable_colors_mean() {
        let half = Micro::from_millionths(500_000);
        let zero = Percent::HUNDRED.rest();
        for (limit, with_mean, without) in [
            (ScoreLimit::Min(half), ("at least", Some(0.5)), Some(0.5)),
            (ScoreLimit::Max(half), ("at most", Some(0.5)), Some(0.5)),
            (ScoreLimit::MaxDrop(half), ("at least", Some(3.5)), None),
            (ScoreLimit::MaxRise(half), ("at most", Some(4.5)), None),
            (
                ScoreLimit::MaxDropPercent(zero),
                ("at least", Some(4.0)),
                None,
            ),
        ] {
            assert_eq!(bound(limit, Some(4.0)), with_mean, "{limit:?}");
            assert_eq!(bound(limit, None).1, without, "{limit:?}");
        }
    }
}
