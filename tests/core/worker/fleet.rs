//! How the proxies of a fleet come to one verdict: each with its own map and clocks, over one etcd.

use super::etcd::Etcd;
use super::*;
use bluegreen::fleet::event::FleetEvent;
use bluegreen::fleet::exchange::{Environment, Exchange};
use bluegreen::policy::fleet_view::FleetRole;

/// Ticks of an interval.
const INTERVAL: u32 = 5;

/// How a proxy reaches etcd.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Open,
    /// Calls are refused.
    Refused,
    /// Calls never come back.
    Swallowed,
}

/// One proxy with one VM.
struct Proxy {
    name: String,
    vm: Vm,
    exchange: Exchange,
    now: Now,
    way: Way,
    random: u64,
    calls: u32,
    events: Vec<FleetEvent>,
    actions: Vec<RolloutAction>,
}

/// A fleet and its store.
#[derive(Default)]
struct Fleet {
    etcd: Etcd,
    proxies: Vec<Proxy>,
}

impl Proxy {
    /// `ahead_ms` is how far its clocks are ahead of those of others.
    fn start(name: &str, policy: &Rc<Policy>, ahead_ms: u64) -> Self {
        let now = Now {
            steady_ms: 10_000_000 + ahead_ms * 7,
            wall_ms: 1_795_428_000_000 + ahead_ms,
        };
        let vm = Vm::start(&Map::default(), policy, now).0;
        Self::of(name, vm, now)
    }

    fn of(name: &str, vm: Vm, now: Now) -> Self {
        Self {
            name: name.to_owned(),
            vm,
            exchange: Exchange::default(),
            now,
            way: Way::Open,
            random: now.wall_ms ^ name.len() as u64,
            calls: 0,
            events: Vec::new(),
            actions: Vec::new(),
        }
    }

    fn tick(&mut self, etcd: &mut Etcd) {
        self.now.steady_ms += TICK_MS;
        self.now.wall_ms += TICK_MS;
        let report = self.vm.tick_and_end_turn(self.now);
        assert_eq!(report.trouble, None);
        self.exchange.note(&self.vm.policy, &report.actions);
        self.actions.extend(report.actions);
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let environment = Environment {
            name: &self.name,
            password: None,
            random: self.random >> 33,
        };
        let Vm {
            peers,
            worker,
            policy,
            ..
        } = &mut self.vm;
        let settings = policy.fleet.clone().unwrap();
        let request = self
            .exchange
            .tick(policy, &settings, worker, peers, self.now, environment)
            .unwrap();
        let random = environment.random;
        if let Some(request) = request {
            assert_eq!(request.path, "/v3/kv/txn");
            self.calls += 1;
            self.exchange.sent(Ok(self.calls), peers, self.now, random);
            let (status, body) = match self.way {
                Way::Open => (200, etcd.txn(&request.body)),
                Way::Refused => (503, Vec::new()),
                Way::Swallowed => return,
            };
            assert!(self.exchange.awaits(self.calls));
            self.exchange
                .receive((status, &body), peers, self.now, random)
                .unwrap();
        }
        self.events.extend(self.exchange.take_events());
    }

    fn tripped(&self) -> Option<Cause> {
        self.vm.worker.status(0).tripped
    }

    fn role(&self) -> FleetRole {
        self.vm.peers.fleet.role
    }

    /// How many of the canary's predictions are true positives, as its stats show last.
    fn shown_tp(&self) -> Option<u64> {
        let shown = self.actions.iter().rev();
        let mut tp = shown.filter_map(|action| match &action.action {
            Action::ShowOutcomes(outcomes) => Some(outcomes.of(Color::Green).tp),
            _ => None,
        });
        tp.next()
    }

    /// A new process with an empty memory.
    fn restart(&mut self, policy: &Rc<Policy>) {
        self.now.steady_ms += 1_000;
        self.now.wall_ms += 1_000;
        let vm = Vm::start(&Map::default(), policy, self.now).0;
        let calls = self.calls;
        *self = Self {
            calls,
            ..Self::of(&self.name, vm, self.now)
        };
        self.random ^= 77;
    }

    fn push(&mut self, policy: &Rc<Policy>) {
        assert_eq!(self.vm.push(policy, self.now).trouble, None);
    }
}

impl Fleet {
    fn start(proxies: usize, policy: &Rc<Policy>) -> Self {
        let mut fleet = Self::default();
        for index in 0..proxies {
            let ahead_ms = index as u64 * 13;
            let name = format!("envoy-{index}");
            fleet.proxies.push(Proxy::start(&name, policy, ahead_ms));
        }
        fleet.ticks(3 * INTERVAL);
        fleet
    }

    fn tick(&mut self) {
        for proxy in &mut self.proxies {
            proxy.tick(&mut self.etcd);
        }
    }

    fn ticks(&mut self, ticks: u32) {
        (0..ticks).for_each(|_| self.tick());
    }

    fn tripped(&self) -> Vec<bool> {
        self.proxies
            .iter()
            .map(|it| it.tripped().is_some())
            .collect()
    }

    fn elected(&self) -> Vec<usize> {
        let elected = |index: &usize| self.proxies[*index].role() == FleetRole::Elected;
        (0..self.proxies.len()).filter(elected).collect()
    }

    /// Ticks until one proxy is rolled back, and until all are. Each serves so many requests in each tick, `failed` of
    /// ten badly.
    fn ticks_to_rollback(&mut self, requests: u64, failed: u64) -> (u32, u32) {
        let mut first = None;
        for tick in 1..500 {
            for (index, proxy) in self.proxies.iter_mut().enumerate() {
                let bad = (requests * failed + index as u64 % 10) / 10;
                proxy.vm.serve(0, Color::Green, requests - bad, bad);
                proxy.vm.serve(0, Color::Blue, requests, 0);
            }
            self.tick();
            let tripped = self.tripped();
            if tripped.contains(&true) {
                first.get_or_insert(tick);
            }
            if !tripped.contains(&false) {
                return (first.unwrap(), tick);
            }
        }
        panic!("not rolled back: {:?}", self.tripped());
    }
}

fn fleet_of(rollouts: Value) -> Rc<Policy> {
    Rc::new(policy(&json!({
        "rollouts": rollouts,
        "feedback": { "path": "/feedback", "require": "nothing" },
        "fleet": { "cluster": "etcd", "prefix": "/test" },
    })))
}

/// A rollout with a guard that needs 500 requests.
fn one_guarded(fields: &Value) -> Rc<Policy> {
    let guard = json!({ "window": "30s", "min_requests": 500, "max_error_rate": 20 });
    let fields = crate::support::merged(json!({ "guard": guard }), fields);
    fleet_of(json!([guarded(&fields)]))
}

#[test]
fn one_of_many_is_elected_and_a_silent_one_is_replaced() {
    let mut fleet = Fleet::start(5, &one_guarded(&json!({})));
    let first = fleet.elected();
    assert_eq!(first.len(), 1);
    for proxy in &fleet.proxies {
        assert!(proxy.exchange.is_connected());
        assert_eq!(proxy.exchange.proxies(), 5);
    }
    fleet.proxies.remove(first[0]);
    fleet.ticks(10 * INTERVAL);
    assert_eq!(fleet.elected().len(), 1);
    for proxy in &fleet.proxies {
        assert_eq!(proxy.exchange.proxies(), 4);
    }
    // The successor judges.
    fleet.ticks_to_rollback(40, 5);
}

#[test]
fn fifty_proxies_roll_back_as_soon_as_one_with_all_their_traffic() {
    let policy = one_guarded(&json!({}));
    let (alone, _) = Fleet::start(1, &policy).ticks_to_rollback(100, 5);
    let (first, last) = Fleet::start(50, &policy).ticks_to_rollback(2, 5);
    assert!(
        first <= alone + 2 * INTERVAL,
        "{first} ticks, one alone {alone}"
    );
    assert!(last <= first + 2 * INTERVAL, "{last} ticks, one {first}");
}

#[test]
fn one_exchange_per_interval_and_proxy_where_nothing_happens() {
    let mut fleet = Fleet::start(3, &one_guarded(&json!({})));
    fleet.ticks(2 * INTERVAL);
    let before = fleet.etcd.transactions;
    fleet.ticks(20 * INTERVAL);
    let each = (fleet.etcd.transactions - before) / 3;
    assert!((18..=25).contains(&each), "{each} in 20 intervals");
}

#[test]
fn proxy_that_starts_after_a_rollback_knows_it_with_the_first_answer() {
    let policy = one_guarded(&json!({}));
    let mut fleet = Fleet::start(2, &policy);
    fleet.ticks_to_rollback(200, 5);
    let keys = fleet.etcd.keys_with("/rollback");
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(fleet.etcd.get(&keys[0]).unwrap()["cause"], "error_rate");
    let mut late = Proxy::start("late", &policy, 60_000);
    late.tick(&mut fleet.etcd);
    late.tick(&mut fleet.etcd);
    assert_eq!(late.tripped(), Some(Cause::ErrorRate));
    let shared = bluegreen::fleet::exchange::shared(&late.vm.peers).unwrap();
    assert!(shared.is_answered);
    // A whole fleet that restarts stays rolled back too.
    fleet.proxies.iter_mut().for_each(|it| it.restart(&policy));
    fleet.ticks(2);
    assert_eq!(fleet.tripped(), [true; 2]);
}

#[test]
fn verdict_ends_with_its_configuration_and_touches_no_other() {
    let (before, after) = (
        one_guarded(&json!({})),
        one_guarded(&json!({ "weights": { "blue": 99, "green": 1 } })),
    );
    let mut fleet = Fleet::start(3, &before);
    fleet.ticks_to_rollback(200, 5);
    fleet.proxies[0].push(&after);
    fleet.ticks(6 * INTERVAL);
    assert_eq!(fleet.tripped(), [false, true, true]);
    assert_eq!(fleet.etcd.keys_with("/rollback").len(), 1);
    for proxy in &mut fleet.proxies[1..] {
        proxy.push(&after);
    }
    fleet.ticks(8 * INTERVAL);
    assert_eq!(fleet.tripped(), [false; 3]);
    assert_eq!(fleet.etcd.keys_with("/rollback"), Vec::<String>::new());
    // The configuration of before is another one by now.
    fleet.proxies.iter_mut().for_each(|it| it.push(&before));
    fleet.ticks(4 * INTERVAL);
    assert_eq!(fleet.tripped(), [false; 3]);
}

#[test]
fn proxy_that_is_cut_off_judges_by_itself_and_its_rollback_wins_later() {
    for way in [Way::Refused, Way::Swallowed] {
        let mut fleet = Fleet::start(3, &one_guarded(&json!({})));
        let elected = fleet.elected()[0];
        let cut = (elected + 1) % 3;
        fleet.proxies[cut].way = way;
        fleet.ticks(6 * INTERVAL);
        assert_eq!(fleet.proxies[cut].role(), FleetRole::Alone);
        let is_said = |it: &FleetEvent| matches!(it, FleetEvent::Disconnected(_));
        let said = fleet.proxies[cut].events.iter().filter(|it| is_said(it));
        assert_eq!(said.count(), 1);
        // By then its own traffic is enough for it alone.
        fleet.proxies[cut].vm.serve(0, Color::Green, 300, 300);
        fleet.ticks(INTERVAL);
        assert!(fleet.proxies[cut].tripped().is_some());
        assert_eq!(fleet.tripped().iter().filter(|it| **it).count(), 1);
        fleet.proxies[cut].way = Way::Open;
        fleet.ticks(5 * INTERVAL);
        assert_eq!(fleet.tripped(), [true; 3]);
    }
}

/// What one proxy counted while it was cut off is no burst of now.
#[test]
fn counts_of_a_partition_are_merged_once_and_are_not_held_to_be_of_now() {
    let mut fleet = Fleet::start(3, &one_guarded(&json!({})));
    let elected = fleet.elected()[0];
    let cut = (elected + 1) % 3;
    fleet.proxies[cut].way = Way::Refused;
    fleet.ticks(5 * INTERVAL);
    // Too few to judge, all bad.
    fleet.proxies[cut].vm.serve(0, Color::Green, 0, 499);
    fleet.ticks(INTERVAL);
    let good = |fleet: &mut Fleet| fleet.proxies[elected].vm.serve(0, Color::Green, 100, 0);
    good(&mut fleet);
    fleet.proxies[cut].way = Way::Open;
    fleet.ticks(5 * INTERVAL);
    assert_eq!(fleet.tripped(), [false; 3]);
    let sums = fleet.etcd.get("/test/v1/aggregate").unwrap();
    let counts = &sums["rollouts"]["rec"]["counts"];
    assert_eq!(counts[0]["green"]["requests"], 599, "{sums}");
}

#[test]
fn outcomes_of_all_proxies_add_up_once_whoever_restarts_or_is_gone() {
    let policy = one_guarded(&json!({ "releases": { "blue": "1", "green": "2" } }));
    let mut fleet = Fleet::start(3, &policy);
    let outcomes = bluegreen::Outcomes {
        tp: 10,
        fp: 1,
        fn_: 2,
        tn: 3,
    };
    for proxy in &mut fleet.proxies {
        proxy
            .vm
            .counts_of(0)
            .totals
            .outcomes
            .of_mut(Color::Green)
            .add(&outcomes);
    }
    fleet.ticks(4 * INTERVAL);
    let tp = |fleet: &Fleet| {
        let sums = fleet.etcd.get("/test/v1/aggregate").unwrap();
        let counts = sums["rollouts"]["rec"]["counts"]
            .as_array()
            .unwrap()
            .clone();
        counts
            .iter()
            .filter_map(|it| it["green"]["tp"].as_u64())
            .sum::<u64>()
    };
    assert_eq!(tp(&fleet), 30);
    let elected = fleet.elected()[0];
    fleet.proxies[(elected + 1) % 3].restart(&policy);
    let gone = fleet.proxies.remove((elected + 2) % 3);
    fleet.ticks(4 * INTERVAL);
    assert_eq!(tp(&fleet), 30);
    // They are retired after a minute.
    fleet.ticks(70 * INTERVAL);
    assert_eq!(tp(&fleet), 30);
    let retired = fleet.etcd.get("/test/v1/aggregate").unwrap()["retired"].clone();
    assert_eq!(retired["rec"][0]["green"]["tp"], 20, "{retired}");
    // One that was only cut off comes back with more.
    fleet.proxies.push(gone);
    let back = fleet.proxies.last_mut().unwrap();
    back.vm
        .counts_of(0)
        .totals
        .outcomes
        .of_mut(Color::Green)
        .add(&outcomes);
    fleet.ticks(6 * INTERVAL);
    assert_eq!(tp(&fleet), 40);
    // Each shows the same, also the one whose earlier counts are among those of proxies that are no more.
    for proxy in &fleet.proxies {
        assert_eq!(proxy.shown_tp(), Some(40), "{}", proxy.name);
    }
    // All restart, the elected one too.
    fleet.proxies.iter_mut().for_each(|it| it.restart(&policy));
    fleet.ticks(8 * INTERVAL);
    assert_eq!(tp(&fleet), 40);
    fleet.ticks(70 * INTERVAL);
    assert_eq!(tp(&fleet), 40);
}

#[test]
fn store_that_is_emptied_learns_all_anew() {
    let policy = one_guarded(&json!({}));
    let mut fleet = Fleet::start(3, &policy);
    fleet.ticks_to_rollback(200, 5);
    fleet.ticks(3 * INTERVAL);
    let requests = |fleet: &Fleet| {
        let sums = fleet.etcd.get("/test/v1/aggregate").unwrap();
        sums["rollouts"]["rec"]["counts"][0]["green"]["requests"].clone()
    };
    let before = requests(&fleet);
    fleet.etcd.empty();
    fleet.ticks(6 * INTERVAL);
    assert_eq!(fleet.etcd.keys_with("/rollback").len(), 1);
    assert_eq!(fleet.etcd.keys_with("/proxies/").len(), 3);
    assert_eq!(requests(&fleet), before);
    assert_eq!(fleet.elected().len(), 1);
}

#[test]
fn garbage_is_skipped_said_once_and_rolls_nothing_back() {
    let policy = one_guarded(&json!({}));
    let mut fleet = Fleet::start(2, &policy);
    let digest = format!("{:016x}", policy.rollouts[0].digest());
    let huge = vec![b'x'; 1_500_000];
    for (key, value) in [
        ("/test/v1/aggregate".to_owned(), &b"{}"[..]),
        (
            format!("/test/v1/verdicts/rec/{digest}/rollback"),
            b"no JSON",
        ),
        (
            format!("/test/v1/verdicts/rec/{digest}/promotion"),
            br#"{"v":2,"at_ms":1}"#,
        ),
        (format!("/test/v1/verdicts/rec/{digest}/what"), b"{}"),
        ("/test/v1/verdicts/rec".to_owned(), b"{}"),
        ("/test/v1/verdicts/rec/xyz/rollback".to_owned(), &huge),
        ("/test/v1/proxies/other".to_owned(), b"\xff"),
        ("/test/v1/proxies/other/0123456789abcdef".to_owned(), b"[]"),
        (
            "/test/v1/proxies/old/0123456789abcdee".to_owned(),
            br#"{"v":0,"name":"old","interval_ms":1000,"second":1,"rollouts":{}}"#,
        ),
        ("/test/v1/proxies/huge/0123456789abcded".to_owned(), &huge),
    ] {
        fleet.etcd.put(&key, value);
    }
    fleet.ticks(8 * INTERVAL);
    assert_eq!(fleet.tripped(), [false; 2]);
    assert_eq!(fleet.elected().len(), 1);
    for proxy in &mut fleet.proxies {
        assert!(proxy.exchange.is_connected());
        assert_eq!(proxy.exchange.proxies(), 2);
        assert!(proxy.exchange.take_errors() > 0);
        let skipped = proxy.events.iter();
        let skipped = skipped.filter(|it| matches!(it, FleetEvent::Skipped(_)));
        assert_eq!(skipped.count(), 1);
    }
    // What can't be read stands in nobody's way.
    fleet.ticks_to_rollback(200, 5);
    let key = format!("/test/v1/verdicts/rec/{digest}/rollback");
    assert_eq!(fleet.etcd.get(&key).unwrap()["cause"], "error_rate");
}

#[test]
fn ramp_steps_by_the_requests_of_all_and_by_clocks_that_are_a_minute_apart() {
    let steps = json!([
        { "weight": 5, "hold": "30s", "min_requests": 100 },
        { "weight": 25, "min_requests": 100 },
        { "weight": 100 },
    ]);
    let ramp = json!({ "start": "2026-11-23T09:00:00Z", "steps": steps });
    let policy = one_guarded(&json!({ "ramp": ramp }));
    let mut fleet = Fleet::default();
    for (index, ahead_ms) in [0, 60_000, 120_000].into_iter().enumerate() {
        let name = format!("envoy-{index}");
        fleet.proxies.push(Proxy::start(&name, &policy, ahead_ms));
    }
    fleet.ticks(10 * INTERVAL);
    for proxy in &mut fleet.proxies {
        proxy.vm.serve(0, Color::Green, 40, 0);
    }
    fleet.ticks(10 * INTERVAL);
    // Whoever is elected now, the step has lasted for 20 s and not for 80.
    let elected = fleet.elected()[0];
    fleet.proxies[elected].restart(&policy);
    fleet.ticks(6 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(0); 3]);
    fleet.ticks(10 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(1); 3]);
    for proxy in &mut fleet.proxies {
        proxy.vm.serve(0, Color::Green, 33, 0);
    }
    fleet.ticks(4 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(1); 3]);
    fleet.proxies[0].vm.serve(0, Color::Green, 1, 0);
    fleet.ticks(4 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(2); 3]);
    // A new one goes on from there.
    let mut late = Proxy::start("late", &policy, 30_000);
    late.tick(&mut fleet.etcd);
    late.tick(&mut fleet.etcd);
    fleet.proxies.push(late);
    assert_eq!(fleet.steps(), [Some(2); 4]);
}

#[test]
fn two_processes_of_one_name_are_told_apart_and_reported_once() {
    let policy = one_guarded(&json!({}));
    let mut fleet = Fleet::default();
    for ahead_ms in [0, 5] {
        fleet.proxies.push(Proxy::start("envoy", &policy, ahead_ms));
    }
    fleet.ticks(20 * INTERVAL);
    assert_eq!(fleet.etcd.keys_with("/proxies/envoy/").len(), 2);
    let events = fleet.proxies.iter().flat_map(|it| &it.events);
    let shared = events.filter(|it| matches!(it, FleetEvent::SharedName(_)));
    assert_eq!(shared.count(), 1);
}

#[test]
fn sequential_guard_judges_what_all_proxies_saw() {
    let guard = json!({ "sequential": { "tolerance": 0 } });
    let weights = json!({ "blue": 90, "green": 10 });
    let fields = json!({ "guard": guard, "weights": weights });
    let policy = fleet_of(json!([rollout_json("rec", &fields)]));
    let mut fleet = Fleet::start(5, &policy);
    let mut user = 0;
    for _ in 0..60 * INTERVAL {
        for (index, proxy) in fleet.proxies.iter_mut().enumerate() {
            let now = proxy.now;
            proxy.vm.begin(now, Color::Blue, 9, 0, || None);
            let failed = u32::from(index % 2 == 0);
            proxy.vm.begin(now, Color::Green, 1, failed, || {
                user += 1;
                Some(user % 100_000)
            });
        }
        fleet.tick();
        if fleet.tripped() == [true; 5] {
            break;
        }
    }
    assert_eq!(fleet.tripped(), [true; 5]);
    assert_eq!(fleet.proxies[0].tripped(), Some(Cause::ErrorsSequential));
}

/// Its first configuration has been replaced on this proxy, and not on the one that is elected.
#[test]
fn proxy_with_another_configuration_than_the_elected_one_judges_it_itself() {
    let before = one_guarded(&json!({}));
    let after = one_guarded(&json!({ "releases": { "green": "2" } }));
    let mut fleet = Fleet::start(3, &before);
    let elected = fleet.elected()[0];
    let others = [(elected + 1) % 3, (elected + 2) % 3];
    for index in others {
        fleet.proxies[index].push(&after);
    }
    fleet.ticks(2 * INTERVAL);
    for _ in 0..10 * INTERVAL {
        for index in others {
            fleet.proxies[index].vm.serve(0, Color::Green, 5, 5);
        }
        fleet.tick();
    }
    let tripped = others.map(|index| fleet.proxies[index].tripped());
    assert_eq!(tripped, [Some(Cause::ErrorRate); 2]);
    assert_eq!(fleet.proxies[elected].tripped(), None);
    // With its own configuration it learns what was decided meanwhile.
    fleet.proxies[elected].push(&after);
    fleet.ticks(2);
    assert_eq!(fleet.proxies[elected].tripped(), Some(Cause::ErrorRate));
}

fn ramped(fields: &Value) -> Rc<Policy> {
    let steps = json!([
        { "weight": 5, "min_requests": 100 },
        { "weight": 25, "min_requests": 100 },
        { "weight": 100 },
    ]);
    let ramp = json!({ "start": "2026-11-23T09:00:00Z", "steps": steps });
    one_guarded(&crate::support::merged(json!({ "ramp": ramp }), fields))
}

impl Fleet {
    /// The step at which each proxy is.
    fn steps(&self) -> Vec<Option<usize>> {
        let step = |it: &Proxy| {
            let (rollout, status) = (&it.vm.policy.rollouts[0], it.vm.worker.status(0));
            let place = rollout.ramp_place(it.now.wall_ms, status);
            place.map(|place| place.step)
        };
        self.proxies.iter().map(step).collect()
    }
}

#[test]
fn requests_before_a_push_count_for_no_step_of_its_ramp() {
    let mut fleet = Fleet::start(3, &one_guarded(&json!({})));
    for proxy in &mut fleet.proxies {
        proxy.vm.serve(0, Color::Green, 1_000, 0);
    }
    fleet.ticks(4 * INTERVAL);
    let policy = ramped(&json!({}));
    fleet.proxies.iter_mut().for_each(|it| it.push(&policy));
    fleet.ticks(6 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(0); 3]);
    fleet.proxies[0].vm.serve(0, Color::Green, 100, 0);
    fleet.ticks(4 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(1); 3]);
    // Another VM of the elected proxy takes over, and knows nothing of the others at first.
    let elected = fleet.elected()[0];
    let proxy = &mut fleet.proxies[elected];
    proxy.exchange = Exchange::default();
    proxy.vm.peers.fleet = Default::default();
    fleet.ticks(6 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(1); 3]);
    assert_eq!(fleet.elected(), [elected]);
    fleet.proxies[2].vm.serve(0, Color::Green, 99, 0);
    fleet.ticks(4 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(1); 3]);
    fleet.proxies[1].vm.serve(0, Color::Green, 1, 0);
    fleet.ticks(4 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(2); 3]);
}

#[test]
fn after_a_rollback_the_repair_begins_at_the_first_step_on_all_proxies() {
    let policy = ramped(&json!({}));
    let mut fleet = Fleet::start(3, &policy);
    fleet.proxies[0].vm.serve(0, Color::Green, 100, 0);
    fleet.ticks(4 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(1); 3]);
    fleet.proxies[1].vm.serve(0, Color::Green, 0, 600);
    fleet.ticks(5 * INTERVAL);
    assert_eq!(fleet.tripped(), [true; 3]);
    fleet.ticks(5 * INTERVAL);
    // The ramp is the same, the guard is another.
    let guard = json!({ "window": "30s", "min_requests": 500, "max_error_rate": 30 });
    let repaired = ramped(&json!({ "guard": guard }));
    for index in 0..3 {
        fleet.proxies[index].push(&repaired);
        fleet.ticks(2 * INTERVAL);
        assert_eq!(fleet.steps()[index], Some(0));
    }
    fleet.ticks(5 * INTERVAL);
    assert_eq!(fleet.steps(), [Some(0); 3]);
    assert_eq!(fleet.tripped(), [false; 3]);
}

impl Proxy {
    /// The states of the guard that it has shown since its actions were looked at last.
    fn take_shown_states(&mut self) -> Vec<GuardState> {
        let state = |action: &RolloutAction| match action.action {
            Action::ShowGuardState(state) => Some(state),
            _ => None,
        };
        let actions = std::mem::take(&mut self.actions);
        actions.iter().filter_map(state).collect()
    }
}

/// What a proxy counted before the repair is still in what the elected one tells when it has begun anew.
#[test]
fn repair_is_not_judged_by_what_was_counted_before_it_whoever_gets_it_first() {
    let before = one_guarded(&json!({}));
    let guard = json!({ "window": "30s", "min_requests": 500, "max_error_rate": 30 });
    let repaired = one_guarded(&json!({ "guard": guard }));
    for later in 0..2 * INTERVAL {
        for elected_is_first in [false, true] {
            let mut fleet = Fleet::start(3, &before);
            let elected = fleet.elected()[0];
            let (failing, third) = ((elected + 1) % 3, (elected + 2) % 3);
            fleet.proxies[failing].vm.serve(0, Color::Green, 0, 600);
            fleet.ticks(6 * INTERVAL);
            assert_eq!(fleet.tripped(), [true; 3]);
            fleet.ticks(6 * INTERVAL + later);
            let order = match elected_is_first {
                true => [elected, failing, third],
                false => [failing, third, elected],
            };
            for index in order {
                fleet.proxies[index].take_shown_states();
                fleet.proxies[index].push(&repaired);
                fleet.ticks(later);
            }
            fleet.ticks(8 * INTERVAL);
            assert_eq!(fleet.tripped(), [false; 3]);
            for proxy in &mut fleet.proxies {
                let shown = proxy.take_shown_states();
                assert!(!shown.contains(&GuardState::Tripped), "{shown:?}");
            }
        }
    }
}
