//! How the VMs of one Envoy look after rollouts together, over a map as Envoy has it: with calls that are
//! refused, others that are faster, clocks that step or stop, VMs that die, and rollouts that come and go.

mod etcd;
mod fleet;
mod ramp;

use crate::support::{policy, rollout_json};
use bluegreen::analysis::incident::{Incident, IncidentKind};
use bluegreen::policy::action::{Action, GuardState, RolloutAction};
use bluegreen::policy::figures::Now;
use bluegreen::policy::member::Member;
use bluegreen::policy::peers::Peers;
use bluegreen::policy::proxy_counts::ProxyCounts;
use bluegreen::policy::shared_keys::SharedKeys;
use bluegreen::policy::worker::{Report, Worker};
use bluegreen::{Bucket, Cause, Color, HostStatus, Policy, RolloutCounts, SharedStore, VmCounts};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

const TICK_MS: u64 = 200;
const REFUSED: HostStatus = HostStatus(10);

/// The map that the VMs share.
#[derive(Clone, Debug, Default)]
struct Map(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    values: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    changes: Cell<u32>,
    /// Refuses calls.
    is_refused: Cell<bool>,
    /// So many writes of the state find that another VM was faster.
    contended: Cell<u32>,
    state_writes: Cell<u32>,
}

impl SharedStore for Map {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostStatus> {
        match self.0.is_refused.get() {
            true => Err(REFUSED),
            false => Ok(self.0.values.borrow().get(key).cloned()),
        }
    }

    fn set(&self, key: &str, value: &[u8], change: u32) -> Result<bool, HostStatus> {
        if self.0.is_refused.get() {
            return Err(REFUSED);
        }
        let mut values = self.0.values.borrow_mut();
        let is_contended = key.ends_with("/state") && self.0.contended.get() > 0;
        if is_contended {
            self.0.contended.set(self.0.contended.get() - 1);
        }
        let is_other = |(_, seen): &(Vec<u8>, u32)| change != 0 && *seen != change;
        if is_contended || values.get(key).is_some_and(is_other) {
            return Ok(false);
        }
        if key.ends_with("/state") {
            self.0.state_writes.set(self.0.state_writes.get() + 1);
        }
        self.0.changes.set(self.0.changes.get() + 1);
        values.insert(key.to_owned(), (value.to_vec(), self.0.changes.get()));
        Ok(true)
    }
}

/// One VM with a configuration in force.
struct Vm {
    peers: Peers<Map>,
    worker: Worker,
    policy: Rc<Policy>,
    counts: VmCounts,
    has_counted: bool,
}

/// All VMs of one Envoy, and their clocks.
struct Envoy {
    map: Map,
    now: Now,
    vms: Vec<Vm>,
}

impl Vm {
    fn start(map: &Map, policy: &Rc<Policy>, now: Now) -> (Self, Report) {
        let keys = SharedKeys::of(b"bluegreen", b"bluegreen");
        let mut peers = Peers::new(map.clone(), keys);
        let (worker, report) = Worker::new(policy, &mut peers, now);
        let vm = Self {
            peers,
            worker,
            policy: Rc::clone(policy),
            counts: VmCounts::default(),
            has_counted: false,
        };
        (vm, report)
    }

    fn push(&mut self, policy: &Rc<Policy>, now: Now) -> Report {
        let (worker, report) = Worker::new(policy, &mut self.peers, now);
        self.worker = worker;
        self.policy = Rc::clone(policy);
        report
    }

    fn counts_of(&mut self, index: usize) -> &mut RolloutCounts {
        let rollout = &self.policy.rollouts[index];
        self.has_counted = true;
        let name = rollout.name.as_str().to_owned();
        let counts = self.counts.rollouts.entry(name).or_default();
        counts.begin(self.worker.epoch(index));
        counts
    }

    /// Requests of a color end, so many of them badly.
    fn serve(&mut self, index: usize, color: Color, good: u64, failed: u64) {
        let counts = self.counts_of(index).totals.requests.of_mut(color);
        for _ in 0..good {
            counts.add_finished(false, false);
        }
        for _ in 0..failed {
            counts.add_finished(true, false);
        }
    }

    fn tick(&mut self, now: Now) -> Report {
        let counted = self.has_counted.then(|| self.counts.clone());
        let report = self
            .worker
            .tick(&self.policy, &mut self.peers, now, counted);
        if report.trouble.is_none() {
            self.has_counted = false;
        }
        report
    }
}

impl Envoy {
    /// So many VMs with a configuration, after a tick.
    fn start(vms: usize, policy: Policy) -> Self {
        let (map, policy) = (Map::default(), Rc::new(policy));
        let now = Now {
            steady_ms: 10_000_000,
            wall_ms: 1_795_428_000_000,
        };
        let vms = (0..vms).map(|_| Vm::start(&map, &policy, now).0).collect();
        let mut envoy = Self { map, now, vms };
        envoy.tick();
        envoy
    }

    /// Puts a configuration in force on all VMs, and lets them tick.
    fn push(&mut self, policy: Policy) -> Vec<RolloutAction> {
        let policy = Rc::new(policy);
        for vm in &mut self.vms {
            assert_eq!(vm.push(&policy, self.now).trouble, None);
        }
        self.tick()
    }

    /// Lets all VMs tick once. Gives all that they have to do.
    fn tick(&mut self) -> Vec<RolloutAction> {
        self.now.steady_ms += TICK_MS;
        self.now.wall_ms += TICK_MS;
        let reports = self.vms.iter_mut().map(|vm| vm.tick(self.now));
        reports.flat_map(|report| report.actions).collect()
    }

    fn ticks(&mut self, ticks: u32) -> Vec<RolloutAction> {
        (0..ticks).flat_map(|_| self.tick()).collect()
    }

    /// Why each VM holds the first rollout to be rolled back.
    fn tripped(&self) -> Vec<Option<Cause>> {
        let status = |vm: &Vm| vm.worker.status(0).tripped;
        self.vms.iter().map(status).collect()
    }

    /// The VMs agree on it, and one of them says so.
    #[track_caller]
    fn assert_rolled_back(&mut self, is_rolled_back: bool) {
        let actions = self.ticks(3);
        let expected = is_rolled_back.then_some(Cause::ErrorRate);
        assert_eq!(self.tripped(), vec![expected; self.vms.len()]);
        assert_eq!(rollbacks(&actions), u32::from(is_rolled_back));
    }
}

fn rollbacks(actions: &[RolloutAction]) -> u32 {
    let is_rollback = |action: &&RolloutAction| matches!(action.action, Action::RollBack { .. });
    actions.iter().filter(is_rollback).count() as u32
}

fn guarded(fields: &Value) -> Value {
    let guard = json!({ "window": "30s", "min_requests": 20, "max_error_rate": 20 });
    let mut rollout = rollout_json("rec", &json!({ "guard": guard }));
    rollout
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    rollout
}

/// One rollout with a guard, and these fields.
fn one(fields: &Value) -> Policy {
    policy(&json!({ "rollouts": [guarded(fields)] }))
}

fn other(fields: &Value) -> Value {
    rollout_json(
        "other",
        &crate::support::merged(json!({ "match": { "path_prefix": "/other" } }), fields),
    )
}

#[test]
fn figures_of_all_vms_trip_the_guard_together_and_one_of_them_says_so() {
    let mut envoy = Envoy::start(3, one(&json!({})));
    for vm in &mut envoy.vms {
        vm.serve(0, Color::Green, 5, 2);
    }
    let actions = envoy.ticks(2);
    let rolled_back: Vec<_> = actions
        .into_iter()
        .filter(|action| matches!(action.action, Action::RollBack { .. }))
        .collect();
    let reason = "error_rate is beyond 20 %: 6 of 21 requests, stable 0 of 0".to_owned();
    let cause = Cause::ErrorRate;
    let action = Action::RollBack { cause, reason };
    assert_eq!(rolled_back, [RolloutAction { rollout: 0, action }]);
    envoy.tick();
    assert_eq!(envoy.tripped(), [Some(cause); 3]);
}

#[test]
fn requests_before_the_first_tick_count() {
    let (map, policy) = (Map::default(), Rc::new(one(&json!({}))));
    let mut vm = Vm::start(&map, &policy, Now::default()).0;
    vm.serve(0, Color::Green, 0, 20);
    assert_eq!(rollbacks(&vm.tick(Now::default()).actions), 1);
}

/// As on an Envoy that makes a root context for each listener.
#[test]
fn both_configurations_of_a_vm_judge_by_all_that_was_counted() {
    let mut envoy = Envoy::start(1, one(&json!({})));
    let (policy, now) = (Rc::clone(&envoy.vms[0].policy), envoy.now);
    let (mut second, _) = Worker::new(&policy, &mut envoy.vms[0].peers, now);
    let mut ticks = |envoy: &mut Envoy, ticks: u32| {
        let mut actions = Vec::new();
        for _ in 0..ticks {
            actions.extend(envoy.tick());
            let peers = &mut envoy.vms[0].peers;
            actions.extend(second.tick(&policy, peers, envoy.now, None).actions);
        }
        actions
    };
    ticks(&mut envoy, 12);
    envoy.vms[0].serve(0, Color::Green, 200, 0);
    ticks(&mut envoy, 12);
    // All of them leave the window.
    let states = shown_states(&ticks(&mut envoy, 200));
    assert_eq!(states, [GuardState::Inconclusive; 2]);
    envoy.vms[0].serve(0, Color::Green, 40, 20);
    assert_eq!(rollbacks(&ticks(&mut envoy, 12)), 1);
}

#[test]
fn state_of_the_guard_is_shown_when_it_changes() {
    let mut envoy = Envoy::start(2, one(&json!({})));
    let mut states = |good, failed| {
        envoy.vms[1].serve(0, Color::Green, good, failed);
        shown_states(&envoy.ticks(12))
    };
    states(0, 0);
    assert_eq!(states(19, 0), []);
    assert_eq!(states(1, 0), [GuardState::Watching]);
    assert_eq!(states(1, 0), []);
    assert_eq!(states(0, 20).first(), Some(&GuardState::Tripped));
}

fn shown_states(actions: &[RolloutAction]) -> Vec<GuardState> {
    let states = actions.iter().filter_map(|action| match action.action {
        Action::ShowGuardState(state) => Some(state),
        _ => None,
    });
    states.collect()
}

/// A worker may be the last to show something of a configuration that another worker has just replaced.
#[test]
fn vm_that_learns_late_that_its_configuration_is_over_lets_the_others_show_theirs_again() {
    let mut envoy = Envoy::start(2, one(&json!({})));
    envoy.ticks(20);
    let (now, new) = (
        envoy.now,
        Rc::new(one(&json!({ "weights": { "blue": 1, "green": 99 } }))),
    );
    let [leader, late] = &mut envoy.vms[..] else {
        panic!("two VMs")
    };
    leader.push(&new, now);
    assert_eq!(
        shown_states(&leader.tick(now).actions),
        [GuardState::Inconclusive]
    );
    assert!(late.worker.is_in_force());
    late.tick(now);
    assert!(!late.worker.is_in_force());
    let again = (0..12).map(|_| leader.tick(now));
    let (mut states, mut learned) = (Vec::new(), 0);
    for report in again {
        states.extend(shown_states(&report.actions));
        learned += u32::from(report.has_learned);
    }
    assert_eq!((states, learned), (vec![GuardState::Inconclusive], 1));
}

#[test]
fn windows_outlast_pushes_that_leave_the_rollout_as_it_is() {
    let with_other = |green: u32| {
        let weights = json!({ "weights": { "blue": 100 - green, "green": green } });
        policy(&json!({ "rollouts": [guarded(&json!({})), other(&weights)] }))
    };
    let mut envoy = Envoy::start(2, with_other(0));
    for green in 1..20 {
        envoy.vms[0].serve(0, Color::Green, 0, 1);
        assert_eq!(rollbacks(&envoy.push(with_other(green))), 0);
    }
    envoy.vms[1].serve(0, Color::Green, 0, 1);
    envoy.assert_rolled_back(true);
    let reported = envoy.push(with_other(50));
    let report = RolloutAction {
        rollout: 0,
        action: Action::ReportRollback(Cause::ErrorRate),
    };
    assert_eq!(
        reported.iter().filter(|action| **action == report).count(),
        1
    );
    assert_eq!(envoy.tripped(), [Some(Cause::ErrorRate); 2]);
}

#[test]
fn requests_of_another_release_do_not_count() {
    let release = |label: &str| one(&json!({ "releases": { "green": label } }));
    let mut envoy = Envoy::start(2, release("v2"));
    // What v2's requests count for is known to the streams that they came with.
    let old = envoy.vms[0].worker.epoch(0);
    envoy.push(release("v3"));
    assert_ne!(envoy.vms[0].worker.epoch(0), old);
    envoy.vms[0].serve(0, Color::Green, 144, 0);
    envoy.tick();
    // A VM that has not got the push yet still counts for v2.
    let mut stale = RolloutCounts::of(old);
    (0..40).for_each(|_| stale.totals.requests.green.add_finished(true, false));
    envoy.vms[1].counts.rollouts.insert("rec".to_owned(), stale);
    envoy.vms[1].has_counted = true;
    envoy.assert_rolled_back(false);
}

#[test]
fn change_that_leaves_the_release_begins_a_new_window_over_the_same_counts() {
    let mut envoy = Envoy::start(1, one(&json!({})));
    envoy.vms[0].serve(0, Color::Green, 0, 19);
    envoy.tick();
    let changed = one(&json!({ "weights": { "blue": 90, "green": 10 } }));
    assert_eq!(rollbacks(&envoy.push(changed)), 0);
    envoy.vms[0].serve(0, Color::Green, 0, 19);
    envoy.assert_rolled_back(false);
    envoy.vms[0].serve(0, Color::Green, 0, 1);
    envoy.assert_rolled_back(true);
}

#[test]
fn rollout_that_goes_and_comes_back_is_not_rolled_back() {
    let both = || policy(&json!({ "rollouts": [guarded(&json!({})), other(&json!({}))] }));
    let alone = || policy(&json!({ "rollouts": [other(&json!({}))] }));
    let mut envoy = Envoy::start(2, both());
    envoy.vms[0].serve(0, Color::Green, 0, 30);
    envoy.assert_rolled_back(true);
    envoy.push(alone());
    assert_eq!(envoy.tripped(), [None; 2]);
    envoy.push(both());
    envoy.assert_rolled_back(false);
    envoy.vms[1].serve(0, Color::Green, 0, 30);
    envoy.assert_rolled_back(true);
}

/// Envoy does not configure anew what it takes up again while streams keep it.
#[test]
fn configuration_that_is_taken_up_again_is_looked_after() {
    let first = || Rc::new(one(&json!({})));
    let mut envoy = Envoy::start(2, one(&json!({})));
    envoy.vms[0].serve(0, Color::Green, 0, 20);
    envoy.assert_rolled_back(true);
    let mut kept = Vec::new();
    for vm in &mut envoy.vms {
        let second = Rc::new(one(&json!({ "weights": { "blue": 90, "green": 10 } })));
        let (worker, _) = Worker::new(&second, &mut vm.peers, envoy.now);
        kept.push(std::mem::replace(&mut vm.worker, worker));
        vm.policy = second;
    }
    envoy.assert_rolled_back(false);
    // Both VMs have the first again: one by a request, the other because it learns of it.
    for (vm, worker) in envoy.vms.iter_mut().zip(kept) {
        let second = std::mem::replace(&mut vm.worker, worker);
        assert!(second.is_in_force());
        vm.policy = first();
        let report = vm.tick(envoy.now);
        assert!(report.has_learned && !vm.worker.is_in_force());
    }
    let vm = &mut envoy.vms[0];
    let report = vm.worker.begin(&vm.policy, &mut vm.peers, envoy.now);
    assert_eq!((report.trouble, vm.worker.is_in_force()), (None, true));
    envoy.assert_rolled_back(false);
    assert!(envoy.vms[1].worker.is_in_force());
    envoy.vms[1].serve(0, Color::Green, 0, 20);
    envoy.assert_rolled_back(true);
}

/// Envoy configures a VM that it throws away to see whether a configuration is valid.
#[test]
fn configuration_that_is_never_used_changes_nothing() {
    let mut envoy = Envoy::start(2, one(&json!({})));
    envoy.vms[0].serve(0, Color::Green, 0, 20);
    envoy.assert_rolled_back(true);
    let before = envoy.map.0.state_writes.get();
    let unused = Rc::new(one(&json!({ "salt": "other" })));
    Vm::start(&envoy.map, &unused, envoy.now);
    envoy.ticks(5);
    assert_eq!(envoy.tripped(), [Some(Cause::ErrorRate); 2]);
    assert_eq!(envoy.map.0.state_writes.get(), before);
}

#[test]
fn rollbacks_of_many_rollouts_are_one_write() {
    let rollout = |index: u32| {
        let path =
            json!({ "name": format!("r{index}"), "match": { "path_prefix": format!("/{index}") } });
        guarded(&path)
    };
    let rollouts: Vec<Value> = (0..999).map(rollout).collect();
    let mut envoy = Envoy::start(3, policy(&json!({ "rollouts": rollouts })));
    for index in 0..999 {
        envoy.vms[1].serve(index, Color::Green, 0, 20);
    }
    let before = envoy.map.0.state_writes.get();
    assert_eq!(rollbacks(&envoy.ticks(12)), 999);
    assert_eq!(envoy.map.0.state_writes.get(), before + 1);
    assert_eq!(envoy.tripped(), [Some(Cause::ErrorRate); 3]);
}

#[test]
fn others_that_are_faster_are_waited_for() {
    let mut envoy = Envoy::start(2, one(&json!({})));
    envoy.vms[0].serve(0, Color::Green, 0, 20);
    envoy.map.0.contended.set(30);
    envoy.assert_rolled_back(true);
}

#[test]
fn rollback_that_can_not_be_written_holds_here_and_is_written_later() {
    let mut envoy = Envoy::start(2, one(&json!({})));
    envoy.vms[0].serve(0, Color::Green, 0, 20);
    // All tries of one tick fail, those of the leader's heartbeat too.
    envoy.tick();
    let before = envoy.tripped();
    envoy.map.0.contended.set(200);
    envoy.ticks(5);
    assert!(
        envoy.tripped().contains(&Some(Cause::ErrorRate)),
        "{before:?}"
    );
    envoy.map.0.contended.set(0);
    envoy.ticks(10);
    assert_eq!(envoy.tripped(), [Some(Cause::ErrorRate); 2]);
}

#[test]
fn refused_calls_stop_nothing_but_what_needs_them_and_are_made_up_for() {
    let (map, policy) = (Map::default(), Rc::new(one(&json!({}))));
    map.0.is_refused.set(true);
    let mut now = Now::default();
    let (mut vm, report) = Vm::start(&map, &policy, now);
    assert_eq!(report.trouble, Some(REFUSED));
    vm.serve(0, Color::Green, 0, 30);
    for _ in 0..10 {
        now.steady_ms += TICK_MS;
        let report = vm.tick(now);
        assert_eq!(
            (report.trouble, report.actions),
            (Some(REFUSED), Vec::new())
        );
    }
    map.0.is_refused.set(false);
    // What it counts for may have changed while it could not learn.
    vm.tick(now);
    vm.serve(0, Color::Green, 0, 30);
    now.steady_ms += TICK_MS;
    assert_eq!(rollbacks(&vm.tick(now).actions), 1);
}

#[test]
fn leader_that_dies_is_replaced_and_its_counts_stay() {
    let mut envoy = Envoy::start(3, one(&json!({})));
    for vm in &mut envoy.vms {
        vm.serve(0, Color::Green, 4, 2);
    }
    envoy.tick();
    // The first VM leads, since it ticked first.
    envoy.vms.remove(0);
    envoy.ticks(Member::SILENT_TICKS + 1);
    envoy.vms[1].serve(0, Color::Green, 1, 1);
    envoy.assert_rolled_back(true);
}

#[test]
fn counts_of_dead_vms_are_kept_and_their_documents_dropped() {
    let mut envoy = Envoy::start(2, one(&json!({})));
    for _ in 0..5 {
        let (vm, _) = Vm::start(&envoy.map, &envoy.vms[0].policy.clone(), envoy.now);
        envoy.vms.push(vm);
        envoy.vms[2].serve(0, Color::Green, 100, 0);
        envoy.ticks(2);
        envoy.vms.pop();
    }
    envoy.ticks(5 * (ProxyCounts::MAX_UNCHANGED_READS + 2));
    let is_document =
        |(key, value): (&String, &(Vec<u8>, u32))| key.contains("/counts/") && !value.0.is_empty();
    let documents = envoy
        .map
        .0
        .values
        .borrow()
        .iter()
        .filter(|it| is_document(*it))
        .count();
    assert_eq!(documents, 2);
    // 500 good requests are in the counts, and out of the window by now.
    envoy.vms[0].serve(0, Color::Green, 0, 19);
    envoy.assert_rolled_back(false);
    envoy.vms[0].serve(0, Color::Green, 0, 1);
    envoy.assert_rolled_back(true);
}

#[test]
fn vm_that_was_taken_for_dead_counts_once() {
    let mut envoy = Envoy::start(2, one(&json!({})));
    envoy.vms[1].serve(0, Color::Green, 10, 2);
    envoy.tick();
    let mut stalled = envoy.vms.pop().unwrap();
    envoy.ticks(ProxyCounts::MAX_UNCHANGED_READS + 5);
    stalled.serve(0, Color::Green, 0, 4);
    envoy.vms.push(stalled);
    envoy.ticks(3);
    let vm = &envoy.vms[0];
    let name = &vm.policy.rollouts[0].name;
    let counts = vm.peers.counts.of_rollout(name, vm.worker.epoch(0));
    let green = counts.totals.requests.green;
    assert_eq!((green.requests, green.failed), (16, 6));
}

#[test]
fn clock_that_steps_back_or_stops_neither_trips_nor_blinds() {
    for step_ms in [-3_600_000_i64, -1, 0] {
        let mut envoy = Envoy::start(2, one(&json!({})));
        envoy.vms[0].serve(0, Color::Green, 10, 1);
        envoy.tick();
        envoy.now.steady_ms = envoy.now.steady_ms.checked_add_signed(step_ms).unwrap();
        envoy.now.wall_ms = envoy.now.wall_ms.checked_add_signed(step_ms).unwrap();
        let at = envoy.now;
        for _ in 0..20 {
            let reports: Vec<_> = envoy.vms.iter_mut().map(|vm| vm.tick(at)).collect();
            assert!(reports.iter().all(|report| rollbacks(&report.actions) == 0));
        }
        envoy.vms[1].serve(0, Color::Green, 0, 20);
        envoy.assert_rolled_back(true);
    }
}

#[test]
fn wall_clock_that_steps_forward_moves_no_window() {
    let mut envoy = Envoy::start(1, one(&json!({})));
    envoy.vms[0].serve(0, Color::Green, 0, 19);
    envoy.tick();
    envoy.now.wall_ms += 3_600_000;
    envoy.vms[0].serve(0, Color::Green, 0, 1);
    envoy.assert_rolled_back(true);
}

#[test]
fn vm_whose_counts_fall_neither_trips_nor_blinds() {
    let mut envoy = Envoy::start(1, one(&json!({})));
    envoy.vms[0].serve(0, Color::Green, 100, 10);
    envoy.tick();
    envoy.vms[0].counts = VmCounts::default();
    envoy.vms[0].serve(0, Color::Green, 9, 1);
    envoy.assert_rolled_back(false);
    envoy.vms[0].serve(0, Color::Green, 0, 20);
    envoy.assert_rolled_back(true);
}

#[test]
fn quality_promotes_a_ramp_once_for_all() {
    let ramp = json!({ "start": "2026-11-23T10:00:00Z", "steps": [{ "weight": 5, "hold": "1s" }, { "weight": 100 }] });
    let quality = json!({ "min_samples": 10, "min_f1": 80, "confidence": "none" });
    let mut envoy = Envoy::start(3, one(&json!({ "ramp": ramp, "quality": quality })));
    for vm in &mut envoy.vms {
        for color in Color::ALL {
            vm.counts_of(0).totals.outcomes.of_mut(color).tp = 4;
        }
    }
    let actions = envoy.ticks(4);
    let promotions = actions
        .iter()
        .filter(|action| matches!(action.action, Action::Promote(_)));
    assert_eq!(promotions.count(), 1);
    let promoted_at: Vec<_> = envoy
        .vms
        .iter()
        .map(|vm| vm.worker.status(0).promoted_at_ms)
        .collect();
    assert!(promoted_at[0].is_some());
    assert_eq!(promoted_at, [promoted_at[0]; 3]);
}

#[test]
fn outcomes_of_another_release_do_not_count() {
    let release = |label: &str| {
        let quality = json!({ "min_samples": 10, "min_f1": 80, "confidence": "none" });
        one(&json!({ "releases": { "green": label }, "quality": quality }))
    };
    let mut envoy = Envoy::start(2, release("1"));
    for vm in &mut envoy.vms {
        vm.counts_of(0).totals.outcomes.blue.tp = 10;
        vm.counts_of(0).totals.outcomes.green.fp = 4;
    }
    envoy.ticks(2);
    envoy.push(release("2"));
    for vm in &mut envoy.vms {
        vm.counts_of(0).totals.outcomes.green.tp = 5;
    }
    let actions = envoy.ticks(3);
    assert_eq!(rollbacks(&actions), 0);
    let shown = actions.iter().rev().find_map(|action| match action.action {
        Action::ShowOutcomes(outcomes) => Some(outcomes),
        _ => None,
    });
    let shown = shown.unwrap();
    assert_eq!((shown.blue.tp, shown.green.tp, shown.green.fp), (20, 10, 0));
}

#[test]
fn plugins_with_other_names_share_nothing() {
    let names: [(&[u8], &[u8]); 6] = [
        (b"a", b""),
        (b"", b"a"),
        (b"a/", b""),
        (b"a", b"/"),
        (b"", b""),
        (b"\xff", b"a"),
    ];
    let keys: std::collections::HashSet<String> = names
        .iter()
        .map(|(name, root)| SharedKeys::of(name, root).state)
        .collect();
    assert_eq!(keys.len(), names.len(), "{keys:?}");
}

/// A rollout with nothing but the sequential guard, and these fields.
fn sequential(fields: &Value) -> Policy {
    let guard = json!({ "sequential": { "tolerance": 0 } });
    let weights = json!({ "blue": 90, "green": 10 });
    let rollout = rollout_json(
        "rec",
        &crate::support::merged(json!({ "guard": guard, "weights": weights }), fields),
    );
    policy(&json!({ "rollouts": [rollout] }))
}

impl Vm {
    /// Requests begin, so many of each color, and the first of them fail.
    fn begin(
        &mut self,
        now: Now,
        color: Color,
        requests: u32,
        failed: u32,
        mut user: impl FnMut() -> Option<u32>,
    ) {
        let epoch = self.worker.epoch(0);
        let recent = self.counts.recent.entry("rec".to_owned()).or_default();
        recent.begin(epoch.generation);
        let second = now.steady_ms / 1_000;
        for request in 0..requests {
            recent.start(second, color);
            if request < failed {
                let incident = Incident {
                    kind: IncidentKind::Failed,
                    began_s: second,
                    color,
                    user: user().and_then(Bucket::new),
                    count: 1,
                };
                recent.add(incident, color == Color::Green);
            }
        }
        self.serve(0, color, u64::from(requests - failed), u64::from(failed));
    }

    fn tick_and_end_turn(&mut self, now: Now) -> Report {
        let report = self.tick(now);
        self.counts.recent.values_mut().for_each(|it| it.end_turn());
        report
    }
}

/// Ten ticks a call: two seconds at 100 requests a second, a tenth of them on green.
fn two_seconds(
    envoy: &mut Envoy,
    failed_of_ten: u32,
    mut user: impl FnMut() -> Option<u32>,
) -> Vec<RolloutAction> {
    let mut actions = Vec::new();
    for _ in 0..10 {
        envoy.now.steady_ms += TICK_MS;
        envoy.now.wall_ms += TICK_MS;
        let now = envoy.now;
        for (index, vm) in envoy.vms.iter_mut().enumerate() {
            vm.begin(now, Color::Blue, 9, 0, || None);
            if index == 0 {
                vm.begin(now, Color::Green, 2, failed_of_ten.min(2), &mut user);
            }
            actions.extend(vm.tick_and_end_turn(now).actions);
        }
    }
    actions
}

#[test]
fn sequential_guard_judges_what_all_vms_saw() {
    let weights = json!({ "weights": { "blue": 90, "green": 10 } });
    let mut envoy = Envoy::start(2, sequential(&weights));
    assert_eq!(rollbacks(&two_seconds(&mut envoy, 0, || None)), 0);
    let mut users = 0..;
    let actions = two_seconds(&mut envoy, 2, || users.next());
    let reasons: Vec<_> = actions
        .iter()
        .filter_map(|it| it.action.rollback())
        .collect();
    assert_eq!(reasons, [Cause::ErrorsSequential]);
    envoy.tick();
    assert_eq!(envoy.tripped(), [Some(Cause::ErrorsSequential); 2]);
}

#[test]
fn one_user_rolls_nothing_back() {
    let mut envoy = Envoy::start(2, sequential(&json!({})));
    for _ in 0..100 {
        assert_eq!(rollbacks(&two_seconds(&mut envoy, 2, || Some(7))), 0);
    }
}

#[test]
fn evidence_outlasts_pushes_that_leave_guard_and_generation() {
    let weights =
        |green: u32| sequential(&json!({ "weights": { "blue": 100 - green, "green": green } }));
    let mut envoy = Envoy::start(2, weights(10));
    let mut users = 0..;
    let mut tripped = 0;
    for green in 11..30 {
        for _ in 0..3 {
            envoy.now.steady_ms += TICK_MS;
            let now = envoy.now;
            envoy.vms[1].begin(now, Color::Blue, 18, 0, || None);
            envoy.vms[1].begin(now, Color::Green, 2, 1, || users.next());
            for vm in &mut envoy.vms {
                tripped += rollbacks(&vm.tick_and_end_turn(now).actions);
            }
        }
        if tripped > 0 {
            break;
        }
        envoy.push(weights(green));
    }
    assert_eq!(tripped, 1);
}

#[test]
fn state_is_inconclusive_until_the_first_canary_request() {
    let mut envoy = Envoy::start(1, sequential(&json!({})));
    let pushed = envoy.push(sequential(&json!({ "stable": "blue" })));
    assert_eq!(shown_states(&pushed), [GuardState::Inconclusive]);
    assert_eq!(
        shown_states(&two_seconds(&mut envoy, 0, || None)),
        [GuardState::Watching]
    );
}

#[test]
fn per_user_counts_a_user_once() {
    let guard =
        json!({ "window": "5s", "min_requests": 20, "max_error_rate": 20, "per_user": true });
    let mut envoy = Envoy::start(2, sequential(&json!({ "guard": guard })));
    for _ in 0..5 {
        assert_eq!(rollbacks(&two_seconds(&mut envoy, 2, || Some(7))), 0);
    }
    let mut users = 0..;
    assert_eq!(rollbacks(&two_seconds(&mut envoy, 2, || users.next())), 1);
}

#[test]
fn slow_after_auto_follows_the_stable_color() {
    let guard = json!({ "sequential": {}, "slow_after": "auto" });
    let mut envoy = Envoy::start(2, sequential(&json!({ "guard": guard })));
    assert_eq!(envoy.vms[0].worker.status(0).slow_after_ns, None);
    let mut respond = |ms: u64| {
        for _ in 0..60 {
            envoy.now.steady_ms += 1_000;
            let now = envoy.now;
            for vm in &mut envoy.vms {
                vm.begin(now, Color::Blue, 5, 0, || None);
                let recent = vm.counts.recent.get_mut("rec").unwrap();
                (0..5).for_each(|_| recent.add_latency(ms * 1_000_000));
                vm.tick_and_end_turn(now);
            }
        }
        envoy.ticks(20);
        let known: Vec<_> = envoy
            .vms
            .iter()
            .map(|vm| vm.worker.status(0).slow_after_ns)
            .collect();
        assert_eq!(known[0], known[1]);
        known[0].unwrap() / 1_000_000
    };
    assert!((10..12).contains(&respond(10)));
    assert!((100..120).contains(&respond(100)));
    assert!((10..12).contains(&respond(10)));
}
