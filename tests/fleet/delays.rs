//! What etcd's troubles cost requests: Envoys of a fleet beside as many without one, under the same load at the same time,
//! so that what else goes on at the machine holds up both.

use std::time::Duration;

use testbed::{Envoy, Etcd, Load, Outcome, PATIENCE, RunningLoad, eventually, get};
use tokio::time::Instant;

use crate::fleet::{Fleet, errors, guarded, some_intervals, trips};

const ENVOYS: usize = 2;
const PER_SECOND: f64 = 200.0;

/// A request is held up where it takes so much longer than it would without a fleet.
const DELAY: Duration = Duration::from_millis(5);

/// What the machine does at one moment it does to requests that are due so close to each other.
const MOMENT: Duration = Duration::from_millis(50);

fn load(fleet: &Fleet) -> Vec<RunningLoad> {
    let to = |envoy: &Envoy| {
        let load = Load::to(envoy.addr()).connections(4).per_second(PER_SECOND);
        load.start(|_| get("/"))
    };
    fleet.envoys.iter().map(to).collect()
}

/// What each Envoy served, in the order in which it was due.
async fn served(loads: Vec<RunningLoad>) -> Vec<Vec<Outcome>> {
    let mut served = Vec::new();
    for load in loads {
        let mut report = load.stop().await;
        assert_eq!(report.failed(), 0, "{:?}", report.by_status());
        report.outcomes.sort_by_key(Outcome::due);
        served.push(report.outcomes);
    }
    served
}

/// How often an Envoy held requests up: in how many moments one took longer by more than [`DELAY`] than all that other
/// Envoys served about then.
fn held_up(envoys: &[Vec<Outcome>], others: &[Vec<Outcome>]) -> usize {
    let slowest_of_others = |due: Instant| {
        let about_then = others.iter().flat_map(|outcomes| {
            let first = outcomes.partition_point(|it| it.due() + MOMENT < due);
            let rest = outcomes[first..].iter();
            rest.take_while(move |it| it.due() <= due + MOMENT)
        });
        let latencies = about_then.map(|it| it.latency);
        latencies.max().unwrap_or_default()
    };
    let moments = |outcomes: &Vec<Outcome>| {
        let is_held_up = |it: &&Outcome| it.latency > slowest_of_others(it.due()) + DELAY;
        let mut last = None;
        let mut moments = 0;
        for request in outcomes.iter().filter(is_held_up) {
            let due = request.due();
            if last.is_none_or(|last| due > last + MOMENT) {
                last = Some(due);
                moments += 1;
            }
        }
        moments
    };
    envoys.iter().map(moments).sum()
}

const CONNECTED: &str = "fleet: connected";
const DISCONNECTED: &str = "fleet: not connected";

/// How often each Envoy has logged a text.
fn logged(fleet: &Fleet, text: &str) -> Vec<usize> {
    let times = |envoy: &Envoy| envoy.log().matches(text).count();
    fleet.envoys.iter().map(times).collect()
}

/// Waits until each Envoy has logged a text once more. To ask for its stats would itself hold it up.
async fn wait_for_log(fleet: &Fleet, text: &str, before: Vec<usize>) {
    let is_logged = || async {
        let now = logged(fleet, text);
        let mut each = now.iter().zip(&before);
        let is_logged = each.all(|(now, before)| now > before);
        is_logged.then_some(()).ok_or(format!("{now:?}"))
    };
    eventually(&format!("`{text}` by each"), PATIENCE, is_logged).await;
}

/// etcd dies, comes back, hangs, comes back, and is replaced by one that knows nothing.
async fn break_and_mend(etcd: &mut Etcd, fleet: &Fleet) {
    for dies in [true, false] {
        let before = logged(fleet, DISCONNECTED);
        match dies {
            true => etcd.kill(0),
            false => etcd.pause(0),
        }
        wait_for_log(fleet, DISCONNECTED, before).await;
        some_intervals().await;
        let before = logged(fleet, CONNECTED);
        match dies {
            true => etcd.restart(0).await,
            false => etcd.resume(0),
        }
        wait_for_log(fleet, CONNECTED, before).await;
    }
    etcd.restart_empty().await;
    some_intervals().await;
}

/// What holds requests up does so each time. A busy machine holds up the one in one round and the other in the next.
const ROUNDS: usize = 4;

#[tokio::test]
async fn no_request_is_lost_or_held_up_while_etcd_dies_hangs_and_comes_back() {
    let mut etcd = Etcd::start().await;
    let fleet = Fleet::start(ENVOYS, &etcd, guarded(100)).await;
    let mut config = guarded(100);
    config.as_object_mut().expect("an object").remove("fleet");
    let mut control = Fleet::empty(Vec::new(), config, |envoy| envoy).await;
    for index in 0..ENVOYS {
        let envoy = control.builder(&format!("control-{index}"));
        control.envoys.push(envoy.start().await);
    }
    let mut is_as_without = false;
    for _ in 0..ROUNDS {
        fleet.wait_until_connected().await;
        let (ours, others) = (load(&fleet), load(&control));
        break_and_mend(&mut etcd, &fleet).await;
        let (ours, others) = (served(ours).await, served(others).await);
        let by_fleet = held_up(&ours, &others);
        let by_chance = held_up(&others, &ours);
        let requests = ours.iter().map(Vec::len).sum::<usize>();
        println!(
            "of {requests} requests some took {DELAY:?} longer in {by_fleet} moments, as many without a fleet in {by_chance}"
        );
        is_as_without = by_fleet <= 2 * by_chance + 3;
        if is_as_without {
            break;
        }
    }
    assert!(is_as_without, "requests are held up in each round");
    fleet.wait_until_connected().await;
    for envoy in &fleet.envoys {
        assert_eq!(trips(envoy).await, 0.0);
        assert!(errors(envoy).await > 0.0);
    }
    fleet.assert_sound().await;
}
