//! How the VMs of one Envoy take a ramp from step to step together.

use super::*;
use bluegreen::policy::action::ShownRamp;
use bluegreen::{RampNotice, RampProgress};

const MINUTE_MS: u64 = 60_000;

/// A guarded rollout whose ramp began an hour before the VMs' clocks: 5 % for a minute and 20 requests, 25 % for 50
/// requests, 100 %.
fn ramped(fields: &Value) -> Value {
    let steps = json!([
        { "weight": 5, "hold": "1m" },
        { "weight": 25, "min_requests": 50 },
        { "weight": 100 },
    ]);
    let ramp = json!({ "start": "2026-11-23T09:00:00Z", "steps": steps });
    guarded(&crate::support::merged(json!({ "ramp": ramp }), fields))
}

fn one_ramped(fields: &Value) -> Policy {
    policy(&json!({ "rollouts": [ramped(fields)] }))
}

/// By holds alone: 5 % for a minute, 25 % for another, 100 %.
fn by_the_clock(fields: &Value) -> Policy {
    let steps = json!([
        { "weight": 5, "hold": "1m", "min_requests": 0 },
        { "weight": 25, "hold": "1m", "min_requests": 0 },
        { "weight": 100 },
    ]);
    let ramp = json!({ "start": "2026-11-23T09:00:00Z", "steps": steps });
    one(&crate::support::merged(json!({ "ramp": ramp }), fields))
}

impl Envoy {
    /// The weight of green on each VM.
    fn weights(&self) -> Vec<String> {
        let weight = |vm: &Vm| {
            let weights = vm.policy.rollouts[0].weights_at(self.now.wall_ms, vm.worker.status(0));
            weights.of(Color::Green).to_string()
        };
        self.vms.iter().map(weight).collect()
    }

    #[track_caller]
    fn assert_weight(&mut self, expected: &str) -> Vec<RolloutAction> {
        let actions = self.ticks(4);
        assert_eq!(self.weights(), vec![expected; self.vms.len()]);
        actions
    }

    /// Time passes by the clock that ramps go by. By the other one VMs would seem to have stalled.
    fn pass(&mut self, ms: u64) {
        self.now.wall_ms += ms;
    }

    fn serve(&mut self, requests: u64) {
        self.vms
            .last_mut()
            .unwrap()
            .serve(0, Color::Green, requests, 0);
    }

    /// Takes the ramp to its second step.
    fn take_first_step(&mut self) {
        self.pass(MINUTE_MS);
        self.serve(20);
        self.assert_weight("25");
    }
}

/// What is said of steps.
fn reasons(actions: &[RolloutAction]) -> Vec<String> {
    let reason = |action: &RolloutAction| match &action.action {
        Action::Advance { reason, .. } => reason.clone(),
        _ => None,
    };
    actions.iter().filter_map(reason).collect()
}

fn notices(actions: &[RolloutAction]) -> Vec<RampNotice> {
    let notice = |action: &RolloutAction| match action.action {
        Action::ReportRamp(notice) => Some(notice),
        _ => None,
    };
    actions.iter().filter_map(notice).collect()
}

/// What the stats show at last.
fn shown(actions: &[RolloutAction]) -> Option<(Option<usize>, bool)> {
    let shown = |action: &RolloutAction| match action.action {
        Action::ShowRamp(ShownRamp { step, waits }) => Some((step, waits)),
        _ => None,
    };
    actions.iter().rev().find_map(shown)
}

#[test]
fn all_vms_leave_a_step_when_time_and_requests_are_there_and_one_says_so() {
    let mut envoy = Envoy::start(3, one_ramped(&json!({})));
    envoy.assert_weight("5");
    envoy.serve(100);
    envoy.assert_weight("5");
    envoy.pass(MINUTE_MS);
    let actions = envoy.assert_weight("25");
    assert_eq!(
        reasons(&actions),
        ["ramp step 1 of 3, weight 25 %: 100 canary requests in 61 s"]
    );
    let shows = actions
        .iter()
        .filter(|it| matches!(it.action, Action::ShowRamp(_)));
    let at_once = ShownRamp {
        step: Some(1),
        waits: true,
    };
    assert!(
        shows
            .map(|it| &it.action)
            .all(|it| *it == Action::ShowRamp(at_once))
    );
    // The request that makes it 50 may come to any VM. Those of the step before do not count.
    for vm in &mut envoy.vms {
        vm.serve(0, Color::Green, 16, 0);
        vm.serve(0, Color::Blue, 90, 0);
    }
    envoy.serve(1);
    let actions = envoy.assert_weight("25");
    assert_eq!(reasons(&actions), Vec::<String>::new());
    envoy.vms[0].serve(0, Color::Green, 1, 0);
    let actions = envoy.assert_weight("100");
    assert_eq!(reasons(&actions).len(), 1);
    assert_eq!(shown(&actions), Some((Some(2), false)));
    let actions = envoy.ticks(20);
    assert_eq!(reasons(&actions), Vec::<String>::new());
}

/// They count from the moment at which the configuration comes into force, not from the leader's first look.
#[test]
fn requests_before_the_first_tick_count_for_the_first_step() {
    let (map, policy) = (Map::default(), Rc::new(one_ramped(&json!({}))));
    let now = Now {
        steady_ms: 1,
        wall_ms: 1_795_428_000_000,
    };
    let mut vm = Vm::start(&map, &policy, now).0;
    let report = vm.worker.begin(&policy, &mut vm.peers, now);
    assert_eq!(notices(&report.actions), [RampNotice::AtFirstStep]);
    vm.serve(0, Color::Green, 20, 0);
    let later = Now {
        wall_ms: now.wall_ms + MINUTE_MS,
        ..now
    };
    assert_eq!(reasons(&vm.tick(later).actions).len(), 1);
}

#[test]
fn unrelated_pushes_keep_the_step_and_what_it_has_counted() {
    let with = |fields: Value, green: u32| {
        let weights = json!({ "weights": { "blue": 100 - green, "green": green } });
        policy(&json!({ "rollouts": [ramped(&fields), other(&weights)] }))
    };
    let mut envoy = Envoy::start(2, with(json!({}), 0));
    envoy.take_first_step();
    for (fields, green) in [
        (json!({}), 1),
        (json!({ "weights": { "blue": 99, "green": 1 } }), 2),
        (
            json!({ "guard": { "window": "1m", "min_requests": 300, "max_error_rate": 20 } }),
            3,
        ),
        (json!({ "sticky": ["source_ip"] }), 4),
        (json!({}), 5),
    ] {
        envoy.serve(9);
        let actions = envoy.push(with(fields, green));
        assert_eq!(notices(&actions), []);
        envoy.assert_weight("25");
    }
    envoy.serve(5);
    envoy.assert_weight("100");
    // Another release is another canary.
    envoy.push(with(json!({ "releases": { "green": "2" } }), 5));
    envoy.assert_weight("5");
}

#[test]
fn leader_that_dies_leaves_the_step_to_its_successor() {
    let mut envoy = Envoy::start(3, one_ramped(&json!({})));
    envoy.take_first_step();
    envoy.serve(49);
    envoy.tick();
    // The first VM leads, since it ticked first.
    envoy.vms.remove(0);
    envoy.ticks(Member::SILENT_TICKS + 1);
    envoy.assert_weight("25");
    envoy.serve(1);
    envoy.assert_weight("100");
}

#[test]
fn step_that_can_not_be_written_is_written_later() {
    let mut envoy = Envoy::start(2, one_ramped(&json!({})));
    envoy.pass(MINUTE_MS);
    envoy.serve(20);
    envoy.map.0.contended.set(200);
    envoy.ticks(3);
    envoy.map.0.contended.set(0);
    let actions = envoy.ticks(10);
    envoy.assert_weight("25");
    assert_eq!(reasons(&actions).len(), 1);
}

#[test]
fn refused_calls_leave_the_ramp_at_its_first_step_until_they_are_taken() {
    let map = Map::default();
    map.0.is_refused.set(true);
    let (policy, mut now) = (
        Rc::new(one_ramped(&json!({}))),
        Now {
            steady_ms: 1,
            wall_ms: 1_795_428_000_000,
        },
    );
    let mut vm = Vm::start(&map, &policy, now).0;
    let weight = |vm: &Vm, now: Now| {
        let weights = policy.rollouts[0].weights_at(now.wall_ms, vm.worker.status(0));
        weights.of(Color::Green).to_string()
    };
    for _ in 0..20 {
        now.wall_ms += MINUTE_MS;
        vm.tick(now);
        assert_eq!(weight(&vm, now), "5");
    }
    map.0.is_refused.set(false);
    vm.tick(now);
    vm.serve(0, Color::Green, 20, 0);
    vm.tick(now);
    assert_eq!(
        weight(&vm, now),
        "5",
        "the hold begins where calls are taken"
    );
    now.wall_ms += MINUTE_MS;
    vm.tick(now);
    assert_eq!(weight(&vm, now), "25");
    // What is known holds while calls are refused again.
    map.0.is_refused.set(true);
    vm.serve(0, Color::Green, 50, 0);
    vm.tick(now);
    assert_eq!(weight(&vm, now), "25");
    map.0.is_refused.set(false);
    vm.tick(now);
    assert_eq!(weight(&vm, now), "100");
}

#[test]
fn clock_that_steps_back_takes_no_step_back() {
    let mut envoy = Envoy::start(2, one_ramped(&json!({})));
    envoy.serve(20);
    envoy.now.wall_ms -= 60 * MINUTE_MS;
    envoy.assert_weight("5");
    // The hold is taken from there.
    envoy.pass(MINUTE_MS);
    envoy.assert_weight("25");
    envoy.now.wall_ms -= 60 * MINUTE_MS;
    let actions = envoy.assert_weight("25");
    assert_eq!(reasons(&actions), Vec::<String>::new());
    envoy.serve(50);
    envoy.assert_weight("100");
}

#[test]
fn documents_that_are_lost_leave_the_ramp_where_it_is() {
    let mut envoy = Envoy::start(2, one_ramped(&json!({})));
    envoy.take_first_step();
    let keys = SharedKeys::of(b"bluegreen", b"bluegreen");
    for key in [&keys.state, &keys.revision] {
        envoy.map.set(key, b"no JSON", 0).unwrap();
    }
    envoy.assert_weight("25");
}

/// The repaired release does not run through by the clock: its start is long past.
#[test]
fn after_a_rollback_the_repair_begins_at_the_first_step() {
    let no_evidence = by_the_clock(&json!({}));
    for (mut envoy, repaired, passed) in [
        (
            Envoy::start(2, one_ramped(&json!({}))),
            one_ramped(&json!({ "releases": { "green": "2" } })),
            20,
        ),
        (
            Envoy::start(2, no_evidence),
            by_the_clock(&json!({ "weights": { "blue": 99, "green": 1 } })),
            0,
        ),
    ] {
        envoy.vms[0].serve(0, Color::Green, 0, 20);
        envoy.assert_rolled_back(true);
        assert_eq!(envoy.weights(), ["0"; 2]);
        envoy.pass(10 * MINUTE_MS);
        envoy.assert_weight("0");
        let actions = envoy.push(repaired);
        assert_eq!(notices(&actions), [RampNotice::AtFirstStep]);
        envoy.assert_weight("5");
        envoy.pass(MINUTE_MS - 20 * TICK_MS);
        envoy.serve(passed);
        envoy.assert_weight("5");
        envoy.pass(20 * TICK_MS);
        envoy.assert_weight("25");
    }
}

#[test]
fn rollback_takes_no_step_and_waits_for_nothing() {
    let mut envoy = Envoy::start(2, one_ramped(&json!({})));
    envoy.take_first_step();
    envoy.vms[0].serve(0, Color::Green, 0, 60);
    let actions = envoy.ticks(20);
    assert_eq!((rollbacks(&actions), reasons(&actions)), (1, vec![]));
    assert_eq!(shown(&actions), Some((Some(1), false)));
    envoy.assert_weight("0");
}

#[test]
fn gate_and_requests_are_waited_for_together() {
    let quality = json!({ "min_samples": 10, "min_f1": 80, "hold_at": 10 });
    let mut envoy = Envoy::start(2, one_ramped(&json!({ "quality": quality })));
    envoy.pass(MINUTE_MS);
    envoy.assert_weight("5");
    envoy.serve(20);
    let actions = envoy.assert_weight("10");
    assert_eq!(
        reasons(&actions),
        ["ramp waits for the quality gate before step 1 of 3: 20 canary requests in 61 s"]
    );
    assert_eq!(shown(&actions), Some((Some(0), true)));
    // What comes meanwhile does not count for the step that has not begun.
    envoy.serve(70);
    envoy.assert_weight("10");
    for color in Color::ALL {
        envoy.vms[0].counts_of(0).totals.outcomes.of_mut(color).tp = 10;
    }
    envoy.ticks(2);
    let actions = envoy.assert_weight("25");
    assert_eq!(reasons(&actions), Vec::<String>::new());
    envoy.serve(49);
    envoy.assert_weight("25");
    envoy.serve(1);
    envoy.assert_weight("100");
}

#[test]
fn ramp_that_begins_at_its_last_step_is_reported_by_one_vm() {
    let mut envoy = Envoy::start(3, policy(&json!({ "rollouts": [other(&json!({}))] })));
    let actions = envoy.push(by_the_clock(&json!({})));
    assert_eq!(notices(&actions), [RampNotice::AtLastStep]);
    assert_eq!(shown(&actions), Some((Some(2), false)));
    let actions = envoy.push(by_the_clock(&json!({ "sticky": ["source_ip"] })));
    assert_eq!(notices(&actions), []);
}

#[test]
fn step_is_shown_as_long_as_there_is_a_ramp_and_none_before_its_start() {
    let steps = json!([{ "weight": 5, "pause": true }, { "weight": 100 }]);
    let ramp = json!({ "start": "2026-11-23T10:00:02Z", "steps": steps });
    let mut envoy = Envoy::start(2, one(&json!({ "ramp": ramp })));
    let actions = envoy.ticks(2);
    assert_eq!(
        shown(&envoy.push(one(&json!({ "ramp": ramp })))),
        Some((None, false))
    );
    assert_eq!(reasons(&actions), Vec::<String>::new());
    envoy.assert_weight("50");
    let actions = envoy.ticks(10);
    assert_eq!(reasons(&actions), ["ramp step 0 of 2, weight 5 %, begins"]);
    assert_eq!(shown(&actions), Some((Some(0), true)));
    envoy.pass(1_000 * MINUTE_MS);
    envoy.serve(1_000);
    envoy.assert_weight("5");
    let status = envoy.vms[0].worker.status(0);
    assert!(matches!(status.ramp, Some(RampProgress::AtStep(_))));
    let actions = envoy.push(one(&json!({})));
    assert_eq!(shown(&actions), None);
}

/// A VM that does not lead has not looked at what the others counted since its last configuration.
#[test]
fn requests_before_the_ramp_began_do_not_count_for_it() {
    let mut envoy = Envoy::start(2, one_ramped(&json!({})));
    let (first, now) = (Rc::clone(&envoy.vms[0].policy), envoy.now);
    let longer = json!([{ "weight": 5, "hold": "2m" }, { "weight": 100 }]);
    let second = json!({ "start": "2026-11-23T09:00:00Z", "steps": longer });
    let second = Rc::new(one(&json!({ "ramp": second })));
    let mut kept = Vec::new();
    for vm in &mut envoy.vms {
        let (worker, _) = Worker::new(&second, &mut vm.peers, now);
        kept.push(std::mem::replace(&mut vm.worker, worker));
        vm.policy = Rc::clone(&second);
    }
    envoy.tick();
    envoy.vms[0].serve(0, Color::Green, 40, 0);
    envoy.ticks(4);
    let now = envoy.now;
    for (vm, worker) in envoy.vms.iter_mut().zip(kept).rev() {
        vm.worker = worker;
        vm.policy = Rc::clone(&first);
        vm.worker.begin(&first, &mut vm.peers, now);
    }
    envoy.pass(MINUTE_MS);
    envoy.assert_weight("5");
    envoy.serve(20);
    envoy.assert_weight("25");
}
