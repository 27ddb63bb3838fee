//! `bluegreen stats`.

use crate::commands::envoys::EnvoyArgs;
use crate::envoy::samples::Samples;
use crate::failure::{Failure, Report};
use crate::show::percent_json;
use crate::table::{Align, table};
use bluegreen::{CodeClass, Color, Percent};
use serde_json::{Value, json};

/// Prints the stats of each color.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which Envoys
    #[command(flatten)]
    pub envoys: EnvoyArgs,
}

/// The stats of one color of one rollout. The profile lean does without some.
struct ColorStats<'s> {
    samples: &'s Samples,
    rollout: &'s str,
    color: Color,
}

/// Runs the command.
///
/// # Errors
/// Where an Envoy does not answer, or has no filter.
pub fn run(args: &Args) -> Result<Report, Failure> {
    let admins = args.envoys.admins()?;
    let has_many = admins.len() > 1;
    let mut text = String::new();
    let mut envoys = Vec::new();
    for admin in admins {
        let samples = admin.samples()?;
        let Some(fingerprint) = samples.fingerprint() else {
            return Err(Failure::finding(format!(
                "{}: this Envoy has not loaded the filter: its log says why",
                admin.url
            )));
        };
        if has_many {
            text += &format!("{}\n", admin.url);
        }
        let unmatched = samples.sum("bluegreen_unmatched_total", &[]).unwrap_or(0.0);
        text += &stats_table(&samples);
        text += &format!("unmatched {unmatched}, config fingerprint {fingerprint}\n");
        envoys.push(json!({
            "admin": admin.url,
            "fingerprint": fingerprint,
            "unmatched": unmatched,
            "colors": all(&samples).iter().map(ColorStats::json).collect::<Vec<_>>(),
        }));
    }
    Ok(Report::fine(text, json!({ "envoys": envoys })))
}

fn all(samples: &Samples) -> Vec<ColorStats<'_>> {
    let rollouts = samples.rollouts().into_iter();
    let colors = rollouts.flat_map(|rollout| Color::ALL.map(|color| (rollout, color)));
    colors
        .map(|(rollout, color)| ColorStats {
            samples,
            rollout,
            color,
        })
        .collect()
}

fn stats_table(samples: &Samples) -> String {
    let mut titles = vec!["rollout", "color", "weight %", "requests"];
    titles.extend(CodeClass::ALL.map(CodeClass::as_str));
    titles.extend(["failures", "in flight", "start ms", "whole ms"]);
    let titles = titles.into_iter().map(str::to_owned).collect();
    let rows = all(samples)
        .iter()
        .map(ColorStats::cells)
        .collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = std::iter::once(titles).chain(rows).collect();
    table(&rows, |_| Align::Right)
}

// === impl ColorStats ===

impl ColorStats<'_> {
    fn get(&self, name: &str) -> Option<f64> {
        self.with(name, &[])
    }

    fn with(&self, name: &str, more: &[(&str, &str)]) -> Option<f64> {
        let mut labels = vec![("rollout", self.rollout), ("color", self.color.as_str())];
        labels.extend(more);
        self.samples.sum(&format!("bluegreen_{name}"), &labels)
    }

    fn responses(&self) -> [Option<f64>; 6] {
        CodeClass::ALL.map(|class| self.with("responses_total", &[("code_class", class.as_str())]))
    }

    fn mean(&self, name: &str) -> Option<f64> {
        let count = self
            .get(&format!("{name}_count"))
            .filter(|&count| count > 0.0)?;
        Some(self.get(&format!("{name}_sum"))? / count)
    }

    fn weight(&self) -> Percent {
        let weight = self.samples.weight(self.rollout, self.color);
        Percent::from_millipercent(weight.unwrap_or_default())
    }

    fn cells(&self) -> Vec<String> {
        let count = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let mean = |name| {
            self.mean(name)
                .map_or_else(|| "-".to_owned(), |it| format!("{it:.1}"))
        };
        let mut cells = vec![
            self.rollout.to_owned(),
            self.color.as_str().to_owned(),
            self.weight().to_string(),
            count(self.get("requests_total")),
        ];
        cells.extend(self.responses().map(count));
        cells.extend([
            count(self.get("failures_total")),
            count(self.get("in_flight")),
        ]);
        cells.extend([mean("response_start_ms"), mean("request_duration_ms")]);
        cells
    }

    fn json(&self) -> Value {
        let classes = CodeClass::ALL.map(CodeClass::as_str).into_iter();
        let responses: serde_json::Map<String, Value> = classes
            .zip(self.responses())
            .map(|(class, count)| (class.to_owned(), json!(count)))
            .collect();
        json!({
            "rollout": self.rollout,
            "color": self.color.as_str(),
            "weight_percent": percent_json(self.weight()),
            "requests": self.get("requests_total"),
            "responses": responses,
            "failures": self.get("failures_total"),
            "in_flight": self.get("in_flight"),
            "mean_response_start_ms": self.mean("response_start_ms"),
            "mean_request_duration_ms": self.mean("request_duration_ms"),
        })
    }
}
