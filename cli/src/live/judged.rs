//! What the guard and the quality gate look at, and how near it is to their limits.

use crate::live::history::Stretch;
use crate::live::scores;
use crate::live::scrape::RolloutScrape;
use crate::live::view::{CauseView, ColorView, GuardView, QualityLimitView, QualityView, number};
use bluegreen::{Cause, Color, Guard, PerColor, Percent, Quality, Rollout, SlowAfter};

/// The guard of a rollout. Without its configuration, what its evidence shows.
pub fn guard(
    rollout: Option<&Rollout>,
    scrape: &RolloutScrape,
    canary: Color,
    stretch: Option<&Stretch>,
) -> Option<GuardView> {
    let name = |value: f64| match value {
        2.0.. => "rolled back",
        1.0.. => "too few requests",
        _ => "watching",
    };
    let state = name(scrape.samples.sum("bluegreen_guard_state", &[])?);
    let guard = rollout.and_then(|rollout| rollout.guard.as_ref());
    let mut causes = guard.map_or_else(Vec::new, |guard| limits(guard, canary, stretch));
    causes.extend(evidence(scrape));
    let slow_after = guard.and_then(|guard| guard.slow_after);
    let slow_after_ms = slow_after.and_then(|it| match it {
        SlowAfter::Fixed(ms) => Some(ms),
        SlowAfter::Auto => None,
    });
    let (window_ms, min_requests) = guard.map_or((0, 0), |it| (it.window_ms, it.min_requests));
    Some(GuardView {
        state,
        window_ms,
        slow_after_ms,
        min_requests,
        causes,
    })
}

/// The limits on rates.
fn limits(guard: &Guard, canary: Color, stretch: Option<&Stretch>) -> Vec<CauseView> {
    let [watched, stable] = [canary, canary.other()].map(|it| stretch.map(|of| of.figures.of(it)));
    let is_enough =
        |finished: Option<f64>| finished.is_some_and(|it| it >= guard.min_requests as f64);
    let is_enough = [watched, stable].map(|it| is_enough(it.map(|it| it.finished)));
    let errors = [watched, stable].map(|it| it?.error_percent());
    let slow = [watched, stable].map(|it| it?.slow_percent());
    let alone = |cause: Cause, limit: Option<Percent>, rates: [Option<f64>; 2]| {
        limit.map(|limit| CauseView {
            cause: cause.as_str(),
            unit: "percent",
            value: rates[0],
            limit: number(limit),
            is_enough: is_enough[0],
        })
    };
    let over_stable = |cause: Cause, limit: Option<Percent>, rates: [Option<f64>; 2]| {
        limit.map(|limit| CauseView {
            cause: cause.as_str(),
            unit: "points",
            value: rates[0]
                .zip(rates[1])
                .map(|(canary, stable)| canary - stable),
            limit: number(limit),
            is_enough: is_enough[0] && is_enough[1],
        })
    };
    let all = [
        alone(Cause::ErrorRate, guard.error_rate.max, errors),
        over_stable(
            Cause::ErrorRateOverStable,
            guard.error_rate.max_over_stable,
            errors,
        ),
        alone(Cause::SlowRate, guard.slow_rate.max, slow),
        over_stable(
            Cause::SlowRateOverStable,
            guard.slow_rate.max_over_stable,
            slow,
        ),
    ];
    all.into_iter().flatten().collect()
}

/// The evidence of the sequential guard, which rolls back at 100 %.
fn evidence(scrape: &RolloutScrape) -> impl Iterator<Item = CauseView> {
    let causes = [Cause::ErrorsSequential, Cause::SlowSequential].into_iter();
    causes.filter_map(|cause| {
        let labels = [("cause", cause.as_str())];
        let value = scrape
            .samples
            .sum("bluegreen_guard_evidence_percent", &labels)?;
        Some(CauseView {
            cause: cause.as_str(),
            unit: "evidence",
            value: Some(value),
            limit: 100.0,
            is_enough: true,
        })
    })
}

/// The quality gate of a rollout.
pub fn quality(
    rollout: &Rollout,
    scrape: &RolloutScrape,
    colors: &PerColor<ColorView>,
) -> Option<QualityView> {
    let quality = rollout.quality.as_ref()?;
    let first_weight = rollout.ramp.as_ref().map(bluegreen::Ramp::first_weight);
    Some(QualityView {
        min_samples: quality.min_samples,
        hold_at_percent: first_weight.map(|first| number(quality.hold_at.unwrap_or(first))),
        limits: quality_limits(quality, scrape, colors.of(rollout.stable)),
        scores: scores::limits(quality, &colors.of(rollout.stable).scores, |limit| {
            verdict(scrape, limit)
        }),
    })
}

/// What Envoy shows of a limit.
fn verdict(scrape: &RolloutScrape, limit: &str) -> Option<&'static str> {
    let labels = [("limit", limit)];
    let verdict = scrape.samples.sum("bluegreen_quality_verdict", &labels)?;
    Some(match verdict {
        2.0.. => "broken",
        1.0.. => "kept",
        _ => "undecided",
    })
}

fn quality_limits(
    quality: &Quality,
    scrape: &RolloutScrape,
    stable: &ColorView,
) -> Vec<QualityLimitView> {
    let verdict = |limit| verdict(scrape, limit);
    let min = |limit, figure, configured: Option<Percent>| {
        configured.map(|configured| QualityLimitView {
            limit,
            figure,
            configured: number(configured),
            floor_percent: Some(number(configured)),
            verdict: verdict(limit),
        })
    };
    let drop = |limit, figure, configured: Option<Percent>, of_stable: Option<f64>| {
        configured.map(|configured| QualityLimitView {
            limit,
            figure,
            configured: number(configured),
            floor_percent: of_stable.map(|it| (it - number(configured)).max(0.0)),
            verdict: verdict(limit),
        })
    };
    let all = [
        min("min_f1", "f1", quality.min_f1),
        drop(
            "max_f1_drop",
            "f1",
            quality.max_f1_drop,
            stable.f1.map(|it| it.percent),
        ),
        min("min_precision", "precision", quality.min_precision),
        min("min_recall", "recall", quality.min_recall),
        drop(
            "max_precision_drop",
            "precision",
            quality.max_precision_drop,
            stable.precision.map(|it| it.percent),
        ),
        drop(
            "max_recall_drop",
            "recall",
            quality.max_recall_drop,
            stable.recall.map(|it| it.percent),
        ),
    ];
    all.into_iter().flatten().collect()
}
