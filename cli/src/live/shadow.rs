//! What becomes of copies of requests.

use crate::live::history::Stretch;
use crate::live::scrape::RolloutScrape;
use crate::live::view::{FigureView, ShadowView, number};
use bluegreen::{Color, Rollout};

/// Those of a rollout whose configuration asks for copies.
pub fn shadow(
    rollout: Option<&Rollout>,
    scrape: &RolloutScrape,
    canary: Color,
    recent: Option<&Stretch>,
) -> Option<ShadowView> {
    let shadow = rollout?.shadow.as_ref()?;
    let per_second = |count: f64, of: &Stretch| count * 1_000.0 / of.ms as f64;
    let percent = |end: &str| {
        let name = format!("bluegreen_shadow_disagreement{end}_ppm");
        Some(scrape.samples.sum(&name, &[])? / 10_000.0)
    };
    let compared = scrape.samples.sum("bluegreen_shadow_compared_total", &[]);
    let figure = || {
        Some(FigureView {
            percent: percent("")?,
            low_percent: percent("_low")?,
            high_percent: percent("_high")?,
        })
    };
    let comparison = shadow.comparison.as_ref();
    Some(ShadowView {
        copies_per_second: recent.map(|it| per_second(it.figures.of(canary).copies, it)),
        failures_per_second: recent.map(|it| per_second(it.figures.of(canary).failed_copies, it)),
        disagreement: compared.filter(|&it| it > 0.0).and_then(|_| figure()),
        max_disagreement_percent: comparison.and_then(|it| it.max_disagreement).map(number),
    })
}
