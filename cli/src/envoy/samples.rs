//! The filter's metrics, as Prometheus reads them.

use bluegreen::Color;
use std::collections::{BTreeMap, BTreeSet};

/// All samples of one scrape.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    samples: Vec<Sample>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it is.
    pub value: f64,
}

// === impl Samples ===

impl Samples {
    /// Reads the text format of Prometheus. Lines that are no samples are left out.
    pub fn parse(page: &str) -> Self {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        Self {
            samples: lines.filter_map(Sample::parse).collect(),
        }
    }

    /// Adds one.
    pub fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// The sum over all samples of a metric with these labels; none where there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &&Sample| {
            let mut wanted = labels.iter();
            sample.name == name
                && wanted
                    .all(|(label, value)| sample.labels.get(*label).is_some_and(|it| it == value))
        };
        let values = self.samples.iter().filter(has).map(|it| it.value);
        values.reduce(|sum, value| sum + value)
    }

    /// The value of a rollout's gauge.
    pub fn of(&self, name: &str, rollout: &str) -> Option<f64> {
        self.sum(name, &[("rollout", rollout)])
    }

    /// The weight of a color in force, in thousandths of a percent.
    pub fn weight(&self, rollout: &str, color: Color) -> Option<u32> {
        let labels = [("rollout", rollout), ("color", color.as_str())];
        let weight = self.sum("bluegreen_weight_millipercent", &labels)?;
        Some(weight as u32)
    }

    /// The fingerprint of the configuration in force.
    pub fn fingerprint(&self) -> Option<u32> {
        let fingerprint = self.sum("bluegreen_config_fingerprint", &[])?;
        Some(fingerprint as u32)
    }

    /// The rollouts that have a weight, by name.
    pub fn rollouts(&self) -> BTreeSet<&str> {
        let weights = self.samples.iter();
        let weights = weights.filter(|it| it.name == "bluegreen_weight_millipercent");
        weights
            .filter_map(|it| it.labels.get("rollout").map(String::as_str))
            .collect()
    }

    /// Whether the filter's metrics are there, but their labels in their names.
    pub fn lacks_tags(&self) -> bool {
        let mut names = self.samples.iter().map(|it| it.name.as_str());
        names.any(|name| name.starts_with("bluegreen_rollout_"))
    }
}

// === impl Sample ===

impl Sample {
    fn parse(line: &str) -> Option<Self> {
        let (series, value) = line.trim_end().rsplit_once(' ')?;
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}')?),
            None => (series, ""),
        };
        Some(Self {
            name: name.to_owned(),
            labels: parse_labels(labels)?,
            value: value.parse().ok()?,
        })
    }
}

fn parse_labels(mut text: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = rest.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                other => value.push(other),
            }
        }
        labels.insert(name.trim_start_matches(',').to_owned(), value);
        text = chars.as_str();
    }
    Some(labels)
}
