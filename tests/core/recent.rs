//! What one VM tells the others of single requests, and what is new in it.

use bluegreen::analysis::incident::{Incident, IncidentKind};
use bluegreen::policy::recent::{Recent, RecentDelta};
use bluegreen::{Bucket, Color};

fn failed(user: Option<u32>) -> Incident {
    Incident {
        kind: IncidentKind::Failed,
        began_s: 7,
        color: Color::Green,
        user: user.and_then(Bucket::new),
        count: 1,
    }
}

fn begun(generation: u64) -> Recent {
    let mut recent = Recent::default();
    recent.begin(generation);
    recent
}

/// As another VM reads it.
fn read(recent: &Recent) -> Recent {
    serde_json::from_slice(&serde_json::to_vec(recent).unwrap()).unwrap()
}

/// What another VM learns that reads after each turn.
fn learn(recent: &mut Recent, published: &mut Recent) -> RecentDelta {
    let now = read(recent);
    recent.end_turn();
    let delta = now.since(published);
    *published = now;
    delta
}

#[test]
fn reads_as_it_was_written() {
    let mut recent = begun(u64::MAX);
    recent.start(7, Color::Blue);
    recent.start(8, Color::Green);
    recent.add(failed(Some(99_999)), true);
    let slow = Incident {
        kind: IncidentKind::Slow,
        color: Color::Blue,
        ..failed(None)
    };
    recent.add(slow, false);
    recent.add_latency(3_000_000);
    assert_eq!(read(&recent), recent);
    assert_eq!(serde_json::from_str::<Recent>("{}").ok(), None);
}

#[test]
fn each_start_and_each_incident_is_news_once() {
    let mut recent = begun(1);
    let mut published = Recent::default();
    recent.start(7, Color::Green);
    recent.start(7, Color::Green);
    recent.add(failed(Some(3)), true);
    recent.add(failed(Some(3)), true);
    let delta = learn(&mut recent, &mut published);
    assert_eq!(delta.starts, [(7, Color::Green, 2)]);
    let twice = Incident {
        count: 2,
        ..failed(Some(3))
    };
    assert_eq!(delta.incidents, [twice]);
    recent.start(7, Color::Green);
    recent.start(8, Color::Blue);
    recent.add(failed(Some(3)), true);
    let delta = learn(&mut recent, &mut published);
    assert_eq!(delta.starts, [(7, Color::Green, 1), (8, Color::Blue, 1)]);
    assert_eq!(delta.incidents, [failed(Some(3))]);
    let delta = learn(&mut recent, &mut published);
    assert_eq!((delta.starts, delta.incidents), (vec![], vec![]));
}

#[test]
fn what_was_told_while_nobody_read_is_news_for_some_turns() {
    let mut recent = begun(1);
    let mut published = Recent::default();
    learn(&mut recent, &mut published);
    recent.add(failed(None), true);
    (0..10).for_each(|_| recent.end_turn());
    recent.add(failed(Some(1)), true);
    let delta = learn(&mut recent, &mut published);
    assert_eq!(delta.incidents, [failed(None), failed(Some(1))]);
    recent.add(failed(None), true);
    (0..20).for_each(|_| recent.end_turn());
    assert_eq!(learn(&mut recent, &mut published).incidents, []);
}

#[test]
fn start_that_tells_nothing_is_taken_back() {
    let mut recent = begun(1);
    let mut published = Recent::default();
    recent.start(7, Color::Green);
    learn(&mut recent, &mut published);
    recent.take_back(7, Color::Green);
    recent.take_back(7, Color::Green);
    recent.take_back(6, Color::Blue);
    let delta = learn(&mut recent, &mut published);
    assert_eq!(delta.starts, [(7, Color::Green, -1)]);
}

#[test]
fn another_generation_begins_with_nothing() {
    let mut recent = begun(1);
    let mut published = Recent::default();
    recent.start(7, Color::Green);
    recent.add(failed(None), true);
    learn(&mut recent, &mut published);
    recent.begin(2);
    assert!(recent.is_empty());
    recent.start(7, Color::Green);
    recent.add(failed(None), true);
    let delta = learn(&mut recent, &mut published);
    assert_eq!(delta.generation, 2);
    assert_eq!(delta.starts, [(7, Color::Green, 1)]);
    assert_eq!(delta.incidents, [failed(None)]);
}

#[test]
fn of_too_many_users_the_canarys_do_not_count_and_the_stable_colors_count_without_a_name() {
    for (is_canary, expected) in [(true, 32), (false, 1_000)] {
        let mut recent = begun(1);
        for user in 0..1_000 {
            recent.add(failed(Some(user)), is_canary);
        }
        recent.add(failed(Some(5)), is_canary);
        let delta = learn(&mut recent, &mut Recent::default());
        assert!(delta.incidents.len() <= 33, "{}", delta.incidents.len());
        let all: u32 = delta.incidents.iter().map(|it| it.count).sum();
        assert_eq!(all, expected + 1);
    }
}

/// One user with requests from many seconds that all end at once.
#[test]
fn incidents_of_one_user_never_lose_it_on_the_canary() {
    let mut recent = begun(1);
    for began_s in 0..1_000 {
        let incident = Incident {
            began_s,
            ..failed(Some(5))
        };
        recent.add(incident, true);
    }
    let delta = learn(&mut recent, &mut Recent::default());
    assert!(delta.incidents.iter().all(|it| it.user == Bucket::new(5)));
}

#[test]
fn garbage_is_no_document() {
    for garbage in [
        r#"{"generation":1,"turn":1,"starts":[[1,2]],"incidents":[]}"#,
        r#"{"generation":-1,"turn":1,"starts":[],"incidents":[]}"#,
        r#"{"generation":1,"turn":1,"starts":[],"incidents":[[1,true,1,true,"x",1]]}"#,
    ] {
        assert!(
            serde_json::from_str::<Recent>(garbage).is_err(),
            "{garbage}"
        );
    }
    // What is no bucket is nobody, what is no latency is none.
    let odd = r#"{"generation":1,"turn":1,"starts":[],"incidents":[[1,true,1,true,100000,1]],"latencies":[[9999,1]]}"#;
    let odd: Recent = serde_json::from_str(odd).unwrap();
    let delta = odd.since(&Recent::default());
    assert_eq!(delta.incidents[0].user, None);
    assert_eq!(delta.latencies, Default::default());
}
