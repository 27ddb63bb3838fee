//! What is live, line by line, for a file, a pipe or a log.

use crate::clock::show_clock;
use crate::live::event::Event;
use crate::live::view::{EnvoyView, Link, LiveView};
use crate::show::Shown;
use serde_json::{Value, json};

/// How each Envoy does, to begin with.
pub fn begin(view: &LiveView, only: Option<&str>) -> String {
    let is_one = view.envoys.len() == 1;
    view.envoys
        .iter()
        .map(|envoy| envoy_text(envoy, view.at_ms, only, is_one))
        .collect()
}

fn envoy_text(envoy: &EnvoyView, at_ms: u64, only: Option<&str>, is_one: bool) -> String {
    let time = show_clock(at_ms);
    let place = if is_one {
        String::new()
    } else {
        format!("{}: ", envoy.admin)
    };
    let version = envoy.version.as_ref();
    let version = version.map_or_else(String::new, |it| format!("version {}, ", Shown::path(it)));
    let differs = if envoy.differs {
        ", not that of the others"
    } else {
        ""
    };
    let mut text = match (envoy.link, envoy.fingerprint) {
        (Link::Up, Some(fingerprint)) => {
            format!("{time} {place}{version}fingerprint {fingerprint}{differs}\n")
        }
        (Link::Up, None) => format!("{time} {place}without the filter: its log says why\n"),
        _ => {
            let why = envoy.why.as_deref().unwrap_or("not asked yet");
            format!("{time} {why}\n")
        }
    };
    for rollout in envoy
        .rollouts
        .iter()
        .filter(|it| only.is_none_or(|only| only == it.name))
    {
        let [blue, green] =
            [&rollout.colors.blue, &rollout.colors.green].map(|it| it.weight_percent);
        let step = rollout.step.zip(rollout.steps);
        let step = step.map_or_else(String::new, |(step, steps)| {
            format!(", step {} of {steps}", step.saturating_add(1))
        });
        text += &format!(
            "{time} {place}{}: {}, blue {blue} %, green {green} %{step}\n",
            rollout.name, rollout.status
        );
    }
    text
}

/// An event, with its Envoy where there are several.
pub fn event(event: &Event, is_one: bool) -> String {
    match event.envoys.first().filter(|_| !is_one) {
        Some(envoy) => {
            let time = show_clock(event.at_ms);
            let rollout = event.rollout.as_ref();
            let rollout = rollout.map_or_else(String::new, |it| format!("{it}: "));
            format!("{time} {envoy}: {rollout}{}\n", event.kind)
        }
        None => format!("{event}\n"),
    }
}

/// All there is to show and what has just happened, as one line of JSON.
pub fn json(view: &LiveView, events: &[Event]) -> String {
    let mut view: Value = json!(view);
    if let Some(view) = view.as_object_mut() {
        view.insert("events".to_owned(), json!(events));
    }
    format!("{view}\n")
}
