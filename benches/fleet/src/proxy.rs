//! One proxy: the filter's own exchange and controller, without Envoy around it.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bluegreen::fleet::exchange::{Environment, Exchange};
use bluegreen::fleet::request::FleetRequest;
use bluegreen::policy::figures::Now;
use bluegreen::policy::peers::Peers;
use bluegreen::policy::shared_keys::SharedKeys;
use bluegreen::policy::worker::Worker;
use bluegreen::{Color, Policy, VmCounts};
use testbed::{Client, get, post};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::call_counts::CallCounts;
use crate::store::Map;

const TICK: Duration = Duration::from_millis(200);

/// What all proxies of a fleet have in common.
#[derive(Debug)]
pub struct Fleet {
    pub policy: Policy,
    pub members: Vec<SocketAddr>,
    pub calls: CallCounts,
    pub start: Instant,
    /// The rollout whose canary fails now.
    pub failing: Cell<Option<usize>>,
    pub has_health_checks: bool,
}

/// What the run asks of one proxy.
#[derive(Debug, Default)]
pub struct Seen {
    pub is_connected: Cell<bool>,
    pub proxies: Cell<u64>,
    /// When each rollout was rolled back.
    pub tripped: RefCell<Vec<Option<Instant>>>,
}

/// Runs until the fleet is dropped.
pub async fn run(fleet: Rc<Fleet>, index: usize, seen: Rc<Seen>) {
    let name = format!("proxy-{index}");
    let keys = SharedKeys::of(b"bluegreen", b"bluegreen");
    let mut peers = Peers::new(Map::default(), keys);
    let (mut worker, _) = Worker::new(&fleet.policy, &mut peers, fleet.now());
    let mut exchange = Exchange::default();
    let mut counts = VmCounts::default();
    let clients: Vec<Client> = fleet.members.iter().map(|&it| Client::http1(it)).collect();
    if fleet.has_health_checks {
        for client in &clients {
            tokio::task::spawn_local(check_health(client.clone()));
        }
    }
    *seen.tripped.borrow_mut() = vec![None; fleet.policy.rollouts.len()];
    sleep(TICK.mul_f64(fastrand::f64())).await;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
    let mut calls = 0;
    loop {
        let answer = tokio::select! {
            _ = ticks.tick() => None,
            answer = answered.recv() => answer,
        };
        let now = fleet.now();
        if let Some((call, status, body)) = answer {
            if exchange.awaits(call) {
                let body: Vec<u8> = body;
                let answer = (status, &body[..]);
                let random = fastrand::u64(..);
                exchange
                    .receive(answer, &mut peers, now, random)
                    .expect("a map");
            }
            continue;
        }
        serve(&fleet, &worker, &mut counts);
        let report = worker.tick(&fleet.policy, &mut peers, now, Some(counts.clone()));
        exchange.note(&fleet.policy, &report.actions);
        seen.note(&fleet.policy, &worker, &exchange);
        let environment = Environment {
            name: &name,
            password: None,
            random: fastrand::u64(..),
        };
        let settings = fleet.policy.fleet.as_ref().expect("a fleet");
        let request = exchange.tick(
            &fleet.policy,
            settings,
            &worker,
            &mut peers,
            now,
            environment,
        );
        let Some(request) = request.expect("a map") else {
            continue;
        };
        calls += 1;
        exchange.sent(Ok(calls), &mut peers, now, fastrand::u64(..));
        let client = clients[fastrand::usize(..clients.len())].clone();
        let (fleet, answers, call) = (fleet.clone(), answers.clone(), calls);
        tokio::task::spawn_local(async move {
            let (status, body) = fleet.call(client, request).await;
            // The proxy may be gone.
            let _ = answers.send((call, status, body));
        });
    }
}

/// Each proxy serves two requests of each rollout between two ticks.
fn serve(fleet: &Fleet, worker: &Worker, counts: &mut VmCounts) {
    for (index, rollout) in fleet.policy.rollouts.iter().enumerate() {
        let name = rollout.name.as_str().to_owned();
        let counts = counts.rollouts.entry(name).or_default();
        counts.begin(worker.epoch(index));
        let fails = fleet.failing.get() == Some(index);
        counts
            .totals
            .requests
            .of_mut(Color::Blue)
            .add_finished(false, false);
        if worker.status(index).tripped.is_none() {
            counts
                .totals
                .requests
                .of_mut(Color::Green)
                .add_finished(fails, false);
        }
    }
}

/// As Envoy does by `envoy/etcd.yaml`.
async fn check_health(client: Client) {
    loop {
        sleep(Duration::from_millis(2_000 + fastrand::u64(..1_000))).await;
        let check = client.try_send(get("/health?exclude=NOSPACE"));
        let _ = timeout(Duration::from_millis(500), check).await;
    }
}

// === impl Fleet ===

impl Fleet {
    fn now(&self) -> Now {
        let ms = |duration: Duration| duration.as_millis() as u64;
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time");
        Now {
            steady_ms: ms(self.start.elapsed()) + 1,
            wall_ms: ms(wall),
        }
    }

    async fn call(&self, client: Client, request: FleetRequest) -> (u64, Vec<u8>) {
        let sent = request.body.len();
        let begin = Instant::now();
        let limit = Duration::from_millis(request.timeout_ms);
        let answer = timeout(limit, client.try_send(post(request.path, request.body))).await;
        let (status, body) = match answer {
            Ok(Ok(answer)) => (u64::from(answer.status), answer.body.to_vec()),
            Ok(Err(_)) => (503, Vec::new()),
            Err(_) => (504, Vec::new()),
        };
        self.calls.add(status, begin.elapsed(), sent, body.len());
        (status, body)
    }
}

// === impl Seen ===

impl Seen {
    fn note(&self, policy: &Policy, worker: &Worker, exchange: &Exchange) {
        self.is_connected.set(exchange.is_connected());
        self.proxies.set(exchange.proxies());
        let mut tripped = self.tripped.borrow_mut();
        for (index, when) in tripped.iter_mut().enumerate().take(policy.rollouts.len()) {
            if worker.status(index).tripped.is_some() {
                when.get_or_insert_with(Instant::now);
            }
        }
    }
}
