//! What `/stats/prometheus` shows.

use std::collections::BTreeMap;

use crate::relabel::Relabel;

/// One line of the exposition.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// One scrape.
#[derive(Clone, Debug)]
pub struct Metrics {
    samples: Vec<Sample>,
}

impl Metrics {
    /// Parses the Prometheus text format.
    pub fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self {
            samples: lines.map(sample).collect(),
        }
    }

    /// The same after relabeling.
    pub(crate) fn relabeled(mut self, rules: &Relabel) -> Self {
        for Sample { name, labels, .. } in &mut self.samples {
            rules.apply(name, labels);
        }
        self
    }

    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The samples of that name which have all these labels.
    pub fn matching<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| {
            let has = |(label, value): &(&str, &str)| {
                sample.labels.get(*label).is_some_and(|v| v == value)
            };
            sample.name == name && labels.iter().all(has)
        })
    }

    /// The sum over the samples that match; `None` where there is none.
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.matching(name, labels)
            .map(|sample| sample.value)
            .reduce(|a, b| a + b)
    }

    /// The sum over the samples that match. A name that Envoy does not show at all is the test's
    /// mistake, and fails.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| {
            assert!(
                self.find(name, &[]).is_some(),
                "no metric {name}; there are: {}",
                self.names()
            );
            0.0
        })
    }

    /// How many values a histogram took.
    pub fn histogram_count(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.get(&format!("{name}_count"), labels)
    }

    /// The sum of the values a histogram took.
    pub fn histogram_sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.get(&format!("{name}_sum"), labels)
    }

    fn names(&self) -> String {
        let mut names: Vec<&str> = self
            .samples
            .iter()
            .map(|sample| sample.name.as_str())
            .collect();
        names.retain(|name| name.starts_with("bluegreen_"));
        names.dedup();
        names.join(", ")
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line
        .rsplit_once(' ')
        .unwrap_or_else(|| panic!("no sample: {line}"));
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    Sample {
        name: name.to_owned(),
        labels: parse_labels(
            labels
                .strip_suffix('}')
                .unwrap_or_else(|| panic!("no sample: {line}")),
        ),
        value: value
            .parse()
            .unwrap_or_else(|_| panic!("no number: {line}")),
    }
}

fn parse_labels(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut chars = rest.chars();
        loop {
            match chars
                .next()
                .unwrap_or_else(|| panic!("a label without an end: {text}"))
            {
                '"' => break,
                '\\' => match chars.next() {
                    Some('n') => value.push('\n'),
                    other => value.extend(other),
                },
                other => value.push(other),
            }
        }
        labels.insert(name.trim_start_matches(',').to_owned(), value);
        text = chars.as_str();
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE a counter\n\
        a{color=\"blue\",reason=\"sticky\"} 3\n\
        a{color=\"green\",reason=\"sticky\"} 4\n\
        b{text=\"x\\\"y\\\\z\\n,k=1}\"} 0.5\n\
        c 7\n";

    #[test]
    fn samples_that_match_are_summed() {
        let metrics = Metrics::parse(TEXT);
        assert_eq!(metrics.get("a", &[]), 7.0);
        assert_eq!(metrics.get("a", &[("color", "green")]), 4.0);
        assert_eq!(metrics.get("a", &[("color", "red")]), 0.0);
        assert_eq!(metrics.get("c", &[]), 7.0);
        assert_eq!(metrics.find("a", &[("color", "red")]), None);
    }

    #[test]
    fn label_values_are_unescaped() {
        let metrics = Metrics::parse(TEXT);
        assert_eq!(metrics.samples()[2].labels["text"], "x\"y\\z\n,k=1}");
    }

    #[test]
    #[should_panic(expected = "no metric d")]
    fn an_unknown_name_fails() {
        Metrics::parse(TEXT).get("d", &[]);
    }
}
