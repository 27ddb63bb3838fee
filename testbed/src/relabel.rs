//! The shipped relabel rules for Prometheus, applied as Prometheus does.

use std::collections::BTreeMap;
use std::fs;

use regex::{Captures, Regex};

use crate::files;

/// `deploy/prometheus/relabel.yaml`, of which each rule is one line.
#[derive(Debug)]
pub struct Relabel(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    regex: Regex,
    target_label: String,
    replacement: String,
}

// === impl Relabel ===

impl Relabel {
    pub fn shipped() -> Self {
        let path = files::root().join("deploy/prometheus/relabel.yaml");
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let form = Regex::new(
            r"^- \{ source_labels: \[__name__\], regex: '(.+)', target_label: (\w+), replacement: (\S+) \}$",
        );
        let form = form.expect("a regex");
        let rules = text.lines().filter(|line| line.starts_with("- "));
        let rules = rules.map(|line| {
            let found = form
                .captures(line)
                .unwrap_or_else(|| panic!("no rule: {line}"));
            Rule::new(&found)
        });
        Self(rules.collect())
    }

    /// Changes the name and the labels of a sample.
    pub fn apply(&self, name: &mut String, labels: &mut BTreeMap<String, String>) {
        for rule in &self.0 {
            rule.apply(name, labels);
        }
    }
}

// === impl Rule ===

impl Rule {
    fn new(found: &Captures<'_>) -> Self {
        let anchored = format!("^(?:{})$", &found[1]);
        Self {
            regex: Regex::new(&anchored).unwrap_or_else(|error| panic!("{error}")),
            target_label: found[2].to_owned(),
            replacement: found[3].to_owned(),
        }
    }

    fn apply(&self, name: &mut String, labels: &mut BTreeMap<String, String>) {
        let Some(found) = self.regex.captures(name) else {
            return;
        };
        let mut value = String::new();
        found.expand(&self.replacement, &mut value);
        if self.target_label == "__name__" {
            *name = value;
        } else {
            labels.insert(self.target_label.clone(), value);
        }
    }
}
