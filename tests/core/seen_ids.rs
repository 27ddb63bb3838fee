//! Retries of feedback, known by their ids over all VMs.

use bluegreen::{
    Color, FeedbackId, HostStatus, Outcomes, Report, RolloutName, SharedKeys, SharedStore,
    prepare_seen_ids, without_retries,
};
use std::cell::RefCell;
use std::collections::HashMap;

#[derive(Default)]
struct Store {
    values: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    is_refused: bool,
}

impl SharedStore for Store {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostStatus> {
        if self.is_refused {
            return Err(HostStatus(1));
        }
        Ok(self.values.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8], change: u32) -> Result<bool, HostStatus> {
        let mut values = self.values.borrow_mut();
        let known = values.entry(key.to_owned()).or_default();
        if change != 0 && change != known.1 {
            return Ok(false);
        }
        *known = (value.to_vec(), known.1 + 1);
        Ok(true)
    }
}

fn report(rollout: &str, id: &str) -> Report {
    let outcomes = Outcomes {
        tp: 1,
        ..Outcomes::default()
    };
    let name = RolloutName::parse(rollout).unwrap();
    Report {
        id: Some(FeedbackId::new(&name, id).unwrap()),
        ..Report::new(0, Color::Green, outcomes)
    }
}

fn taken(store: &Store, now_s: u32, reports: Vec<Report>) -> usize {
    without_retries(store, &SharedKeys::of(b"a", b"b"), now_s, reports).len()
}

fn prepared() -> Store {
    let store = Store::default();
    prepare_seen_ids(&store, &SharedKeys::of(b"a", b"b")).unwrap();
    store
}

#[test]
fn id_counts_once_in_ten_minutes() {
    let store = prepared();
    assert_eq!(taken(&store, 1_000, vec![report("rec", "a")]), 1);
    for now_s in [1_000, 1_001, 1_599] {
        assert_eq!(taken(&store, now_s, vec![report("rec", "a")]), 0, "{now_s}");
    }
    assert_eq!(taken(&store, 1_600, vec![report("rec", "a")]), 1);
    assert_eq!(taken(&store, 1_601, vec![report("rec", "a")]), 0);
}

#[test]
fn id_is_that_of_its_rollout() {
    let store = prepared();
    let batch = vec![report("rec", "a"), report("other", "a"), report("rec", "a")];
    assert_eq!(taken(&store, 0, batch), 2);
    let none = Report {
        id: None,
        ..report("rec", "a")
    };
    assert_eq!(taken(&store, 0, vec![none.clone(), none]), 2);
}

#[test]
fn batches_of_many_ids_count_each_once() {
    let store = prepared();
    let batch = || {
        (0..1_000)
            .map(|id| report("rec", &id.to_string()))
            .collect()
    };
    assert_eq!(taken(&store, 0, batch()), 1_000);
    assert_eq!(taken(&store, 1, batch()), 0);
    let mut next: Vec<Report> = batch();
    next.push(report("rec", "1000"));
    assert_eq!(taken(&store, 2, next), 1);
}

#[test]
fn what_ids_take_in_memory_is_bounded_and_the_oldest_go_first() {
    let store = prepared();
    let batch = |number: u32| {
        let ids = (0..1_000).map(|id| report("rec", &format!("{number}-{id}")));
        ids.collect::<Vec<_>>()
    };
    for number in 0..400 {
        assert_eq!(taken(&store, number / 10, batch(number)), 1_000);
    }
    let bytes: usize = store.values.borrow().values().map(|(it, _)| it.len()).sum();
    assert!(bytes <= 64 * 4_096 * 12, "{bytes}");
    assert_eq!(taken(&store, 41, batch(399)), 0);
    assert_eq!(taken(&store, 41, batch(200)), 0);
    assert_eq!(taken(&store, 41, batch(0)), 1_000);
}

#[test]
fn refused_calls_and_broken_documents_lose_nothing() {
    let refused = Store {
        is_refused: true,
        ..Store::default()
    };
    assert_eq!(
        taken(&refused, 0, vec![report("rec", "a"), report("rec", "a")]),
        2
    );
    let broken = prepared();
    for (value, _) in broken.values.borrow_mut().values_mut() {
        *value = b"neither ids nor JSON".to_vec();
    }
    assert_eq!(taken(&broken, 0, vec![report("rec", "a")]), 1);
    assert_eq!(taken(&broken, 0, vec![report("rec", "a")]), 0);
}

#[test]
fn ids_have_one_to_64_characters() {
    let name = RolloutName::parse("rec").unwrap();
    for good in ["a", &"é".repeat(64)] {
        assert!(FeedbackId::new(&name, good).is_some());
    }
    for bad in ["", &"a".repeat(65), &"a".repeat(10_240)] {
        assert!(FeedbackId::new(&name, bad).is_none());
    }
}
