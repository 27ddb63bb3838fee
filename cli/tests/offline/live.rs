//! The live model: looks at Envoys in, what is shown and what happened out.

use std::sync::Arc;

use bluegreen::Policy;
use bluegreen_cli::live::envoy::Look;
use bluegreen_cli::live::model::Live;
use bluegreen_cli::live::rollout::Moment;
use bluegreen_cli::live::scrape::Scrape;
use bluegreen_cli::live::view::{Link, LiveView, RolloutView};
use serde_json::{Map, Value, json};

const START_MS: u64 = 1_800_000_000_000; // 2027-01-15T08:00:00Z

/// An Envoy as it shows itself.
#[derive(Clone)]
struct Shown {
    config: Value,
    stats: Map<String, Value>,
    /// Bins of the canary's response start.
    times: Value,
}

/// One Envoy or several, looked at second by second.
struct Bench {
    live: Live,
    second: u64,
}

// === impl Shown ===

impl Shown {
    fn new(rollout_fields: Value) -> Self {
        let mut rollout = json!({
            "name": "demo",
            "clusters": { "blue": "blue", "green": "green" },
            "weights": { "blue": 90, "green": 10 },
        });
        let more = rollout_fields.as_object().expect("fields").clone();
        rollout.as_object_mut().expect("fields").extend(more);
        let mut shown = Self {
            config: json!({ "version": "1", "rollouts": [rollout] }),
            stats: Map::new(),
            times: json!([]),
        };
        shown.weight(10);
        shown
    }

    fn set(&mut self, name: &str, value: u64) -> &mut Self {
        let name = format!("wasmcustom.bluegreen.rollout.demo.{name}");
        self.stats.insert(name, value.into());
        self
    }

    fn weight(&mut self, green: u64) -> &mut Self {
        self.set("color.green.weight_millipercent", green * 1_000);
        self.set("color.blue.weight_millipercent", (100 - green) * 1_000)
    }

    fn requests(&mut self, color: &str, count: u64) -> &mut Self {
        self.set(
            &format!("color.{color}.reason.random.requests_total"),
            count,
        );
        self.set(&format!("color.{color}.guard_finished_total"), count)
    }

    fn failures(&mut self, color: &str, count: u64) -> &mut Self {
        self.set(&format!("color.{color}.failures_total"), count)
    }

    fn look(&self, uptime: u64, rejected: u64) -> Look {
        let policy = Policy::parse(self.config.to_string().as_bytes()).expect("a configuration");
        let mut stats: Vec<Value> = self
            .stats
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        stats.push(json!({ "name": "server.uptime", "value": uptime }));
        stats.push(json!({ "name": "extension_config_discovery.http_filter.x.update_rejected", "value": rejected }));
        stats.push(json!({ "name": "wasmcustom.bluegreen.config_fingerprint", "value": policy.fingerprint }));
        stats.push(json!({ "histograms": { "details": [{
            "name": "wasmcustom.bluegreen.rollout.demo.color.green.response_start_ms",
            "totals": self.times,
        }] } }));
        Look {
            scrape: Scrape::parse(&json!({ "stats": stats })).expect("stats"),
            policy: Some(Arc::new(policy)),
        }
    }
}

// === impl Bench ===

impl Bench {
    fn new(envoys: usize) -> Self {
        let names = (0..envoys).map(|index| format!("http://envoy-{index}"));
        Self {
            live: Live::new(names),
            second: 0,
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            wall_ms: START_MS + self.second * 1_000,
            steady_ms: self.second * 1_000,
        }
    }

    /// Looks at the first Envoy a second later, and says what is new.
    fn after(&mut self, seconds: u64, shown: &Shown) -> Vec<String> {
        self.second += seconds;
        let look = Ok(shown.look(self.second + 100, 0));
        self.see(0, look)
    }

    fn see(&mut self, envoy: usize, look: Result<Look, String>) -> Vec<String> {
        let moment = self.moment();
        let events = self.live.observe(envoy, moment, look).into_iter();
        events.map(|event| event.kind.to_string()).collect()
    }

    fn view(&self) -> LiveView {
        self.live.view(self.moment().wall_ms)
    }

    fn demo(&self) -> RolloutView {
        self.view().envoys.remove(0).rollouts.remove(0)
    }
}

#[test]
fn rates_are_those_of_the_last_seconds() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(
        json!({ "guard": { "window": "30s", "min_requests": 10, "max_error_rate": 5, "max_error_rate_over_stable": 2 } }),
    );
    shown
        .requests("blue", 1_000_000)
        .requests("green", 100_000)
        .failures("green", 50_000);
    shown.failures("blue", 0).set("guard_state", 0);
    shown.times = json!([{ "lower_bound": 1, "width": 0.1, "count": 100_000 }]);
    bench.after(0, &shown);
    assert_eq!(bench.demo().colors.green.requests_per_second, None);
    shown
        .requests("blue", 1_000_800)
        .requests("green", 100_200)
        .failures("green", 50_004);
    shown.times = json!([
        { "lower_bound": 1, "width": 0.1, "count": 100_100 },
        { "lower_bound": 200, "width": 10, "count": 100 },
    ]);
    bench.after(10, &shown);
    let demo = bench.demo();
    let green = &demo.colors.green;
    assert_eq!(green.requests_per_second, Some(20.0));
    assert_eq!(green.share_percent, Some(20.0));
    assert_eq!(green.error_percent, Some(2.0));
    assert_eq!(green.p50_ms, Some(1.1));
    assert_eq!(green.p99_ms, Some(209.8));
    assert_eq!(demo.colors.blue.error_percent, Some(0.0));
    let causes = demo.guard.expect("a guard").causes;
    let causes: Vec<_> = causes
        .iter()
        .map(|it| (it.cause, it.unit, it.value, it.limit, it.is_enough))
        .collect();
    assert_eq!(
        causes,
        [
            ("error_rate", "percent", Some(2.0), 5.0, true),
            ("error_rate_over_stable", "points", Some(2.0), 2.0, true),
        ]
    );
}

#[test]
fn a_rollback_is_one_event_with_its_cause() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({ "guard": { "sequential": {} } }));
    shown
        .set("guard_state", 0)
        .set("cause.errors_sequential.guard_trips_total", 3);
    shown
        .set("cause.quality.guard_trips_total", 1)
        .set("cause.errors_sequential.guard_evidence_percent", 40);
    assert_eq!(bench.after(0, &shown), [""; 0]);
    let demo = bench.demo();
    assert_eq!(
        (demo.status, demo.symbol, demo.cause),
        ("healthy", "✔", None)
    );
    assert_eq!(demo.guard.expect("a guard").causes[0].value, Some(40.0));
    shown
        .set("guard_state", 2)
        .set("cause.errors_sequential.guard_trips_total", 4)
        .weight(0);
    assert_eq!(bench.after(1, &shown), ["rolled back: errors_sequential"]);
    let demo = bench.demo();
    assert_eq!((demo.status, demo.symbol), ("rolled back", "✖"));
    assert_eq!(demo.cause.as_deref(), Some("errors_sequential"));
    assert_eq!(bench.after(1, &shown), [""; 0]);
    shown.config["rollouts"][0]["salt"] = json!("other");
    shown.set("guard_state", 0).weight(10);
    let pushed = bench.after(1, &shown);
    assert!(
        pushed[0].starts_with("config pushed: version 1, fingerprint "),
        "{pushed:?}"
    );
    assert_eq!(
        pushed[1..],
        ["the rollback is over", "shift: green 0 % -> 10 %"]
    );
}

#[test]
fn a_cause_that_is_not_sure_is_not_told() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({ "guard": { "sequential": {} } }));
    shown.set("guard_state", 2).weight(0);
    shown
        .set("cause.errors_sequential.guard_trips_total", 1)
        .set("cause.quality.guard_trips_total", 1);
    bench.after(0, &shown);
    assert_eq!(bench.demo().cause, None);
    shown.set("cause.quality.guard_trips_total", 0);
    let mut bench = Bench::new(1);
    bench.after(0, &shown);
    assert_eq!(bench.demo().cause.as_deref(), Some("errors_sequential"));
}

#[test]
fn a_ramp_is_followed_step_by_step() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({
        "guard": { "max_error_rate": 5, "min_requests": 50, "window": "30s" },
        "ramp": { "start": "2027-01-15T08:00:10Z", "steps": [
            { "weight": 10, "hold": "1m" }, { "weight": 50, "pause": true }, { "weight": 100 }
        ] },
    }));
    shown
        .set("guard_state", 1)
        .set("ramp_step", u64::MAX)
        .set("ramp_waiting", 0)
        .requests("green", 7)
        .weight(0);
    bench.after(0, &shown);
    let demo = bench.demo();
    assert_eq!(
        (demo.status, demo.step, demo.steps),
        ("ramping", None, Some(3))
    );
    assert_eq!(
        demo.next.map(|it| (it.weight_percent, it.earliest_in_ms)),
        Some((10.0, 10_000))
    );

    shown.set("ramp_step", 0).weight(10);
    assert_eq!(bench.after(10, &shown), ["step 1 of 3: green 10 %"]);
    shown.requests("green", 27);
    bench.after(20, &shown);
    let next = bench.demo().next.expect("a step");
    assert_eq!(
        (next.earliest_in_ms, next.latest_in_ms),
        (40_000, Some(40_000))
    );
    assert_eq!((next.min_requests, next.requests_seen), (Some(50), 20));

    shown.set("ramp_waiting", 1);
    assert_eq!(bench.after(60, &shown), ["the ramp waits: requests"]);
    let demo = bench.demo();
    assert_eq!((demo.status, demo.symbol), ("waiting", "॥"));
    assert_eq!(demo.waits_for, ["requests"]);
    assert_eq!(demo.next.expect("a step").latest_in_ms, Some(0));

    shown.set("ramp_waiting", 0).set("ramp_step", 1).weight(50);
    assert_eq!(bench.after(1, &shown), ["step 2 of 3: green 50 %"]);
    assert_eq!(
        (
            bench.demo().status,
            bench.demo().next.expect("a step").latest_in_ms
        ),
        ("paused", None)
    );
    shown.set("ramp_step", 2).weight(100);
    assert_eq!(
        bench.after(1, &shown),
        ["step 3 of 3: green 100 %", "promoted: green serves all"]
    );
    assert_eq!(bench.demo().next, None);
}

#[test]
fn when_a_step_began_that_was_not_seen_to_begin_is_not_guessed() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({
        "ramp": { "start": "2027-01-15T07:59:30Z", "steps": [
            { "weight": 10, "hold": "1m", "min_requests": 5 }, { "weight": 100 }
        ] },
    }));
    shown.set("ramp_step", 0);
    bench.after(0, &shown);
    let next = bench.demo().next.expect("a step");
    assert_eq!(
        (next.earliest_in_ms, next.latest_in_ms),
        (30_000, Some(60_000))
    );
}

#[test]
fn quality_has_an_interval_and_limits() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({
        "releases": { "blue": "2026-10", "green": "2026-11" },
        "quality": { "min_samples": 500, "min_f1": 80, "max_f1_drop": 1 },
    }));
    for (color, f1) in [
        ("blue", [880_000, 860_000, 900_000]),
        ("green", [905_500, 871_000, 930_000]),
    ] {
        for (end, ppm) in ["", "_low", "_high"].into_iter().zip(f1) {
            shown.set(&format!("color.{color}.quality_f1{end}_ppm"), ppm);
        }
        shown.set(&format!("color.{color}.quality_samples"), 700);
    }
    bench.after(0, &shown);
    let demo = bench.demo();
    assert_eq!(demo.colors.green.release.as_deref(), Some("2026-11"));
    let f1 = demo.colors.green.f1.expect("a figure");
    assert_eq!(
        (f1.percent, f1.low_percent, f1.high_percent),
        (90.55, 87.1, 93.0)
    );
    let limits = demo.quality.expect("a gate").limits;
    let limits: Vec<_> = limits
        .iter()
        .map(|it| (it.limit, it.floor_percent))
        .collect();
    assert_eq!(
        limits,
        [("min_f1", Some(80.0)), ("max_f1_drop", Some(87.0))]
    );
}

#[test]
fn an_envoy_that_differs_is_marked() {
    let mut bench = Bench::new(3);
    let shown = Shown::new(json!({}));
    let mut other = shown.clone();
    other.config["version"] = json!("2");
    for (index, it) in [&other, &shown, &shown].into_iter().enumerate() {
        bench.see(index, Ok(it.look(1, 0)));
    }
    let view = bench.view();
    let differ: Vec<bool> = view.envoys.iter().map(|it| it.differs).collect();
    assert_eq!((view.differ, differ), (true, vec![true, false, false]));

    bench.second = 1;
    assert_eq!(bench.see(1, Ok(other.look(2, 0))).len(), 1);
    bench.second = 2;
    assert_eq!(bench.see(2, Ok(other.look(3, 0))).len(), 1);
    assert!(!bench.view().differ);
    let events = bench.view().events;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].envoys, ["http://envoy-1", "http://envoy-2"]);
}

#[test]
fn an_envoy_is_lost_and_back() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({}));
    shown.requests("green", 100);
    assert_eq!(
        bench.see(0, Err("refused".to_owned())),
        [""; 0],
        "it was never there"
    );
    assert_eq!(bench.view().envoys[0].link, Link::Lost);
    bench.after(1, &shown);
    assert_eq!(
        bench.see(0, Err("refused".to_owned())),
        ["Envoy lost: refused"]
    );
    assert_eq!(bench.see(0, Err("refused".to_owned())), [""; 0]);
    let lost = bench.view().envoys.remove(0);
    assert_eq!(
        (lost.link, lost.why.as_deref(), lost.rollouts.len()),
        (Link::Lost, Some("refused"), 1)
    );
    shown.requests("green", 3);
    bench.second = 5;
    assert_eq!(
        bench.see(0, Ok(shown.look(1, 0))),
        ["Envoy back", "Envoy restarted"]
    );
    assert_eq!(
        bench.demo().colors.green.requests_per_second,
        None,
        "counters begin anew"
    );
    shown.requests("green", 5);
    bench.second = 6;
    bench.see(0, Ok(shown.look(2, 0)));
    assert_eq!(bench.demo().colors.green.requests_per_second, Some(2.0));
}

#[test]
fn what_envoy_rejects_is_told() {
    let mut bench = Bench::new(1);
    let shown = Shown::new(json!({}));
    bench.see(0, Ok(shown.look(1, 7)));
    assert_eq!(
        bench.see(0, Ok(shown.look(2, 8))),
        ["config rejected: Envoy's log says why"]
    );
    assert_eq!(bench.view().envoys[0].rejected, 8);
}

#[test]
fn a_swap_is_no_promotion() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({}));
    bench.after(0, &shown);
    shown.weight(100);
    assert_eq!(
        bench.after(1, &shown),
        ["shift: green 10 % -> 100 %", "promoted: green serves all"]
    );
    shown.config["rollouts"][0]["stable"] = json!("green");
    let events = bench.after(1, &shown);
    assert_eq!(events[1..], ["green is the stable color now"]);
    assert_eq!(bench.demo().canary, "blue");
}

#[test]
fn the_view_is_json() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({}));
    bench.after(0, &shown);
    shown.weight(25);
    bench.after(1, &shown);
    let view = serde_json::to_value(bench.view()).expect("JSON");
    let rollout = &view["envoys"][0]["rollouts"][0];
    assert_eq!(rollout["colors"]["green"]["weight_percent"], 25.0);
    let event = json!({
        "at_ms": START_MS + 1_000, "envoys": ["http://envoy-0"], "rollout": "demo",
        "event": "shift", "from_green_percent": 10.0, "green_percent": 25.0,
    });
    assert_eq!(view["events"], json!([event]));
}

#[test]
fn a_rollout_that_was_removed_is_not_shown() {
    let mut bench = Bench::new(1);
    let mut shown = Shown::new(json!({}));
    bench.after(0, &shown);
    shown.config["rollouts"][0]["name"] = json!("other");
    bench.after(1, &shown);
    assert_eq!(bench.view().envoys[0].rollouts, []);
}
