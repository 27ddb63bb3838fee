//! Copies of requests: whose they are, what they count for, and how answers are compared.

use crate::support::{block, request, rollout};
use bluegreen::{
    Answer, AnswerLabel, Color, HostStatus, LimitVerdict, Percent, RequestId, ShadowCounts,
    SharedStore, Weights, policy::shared_keys::SharedKeys,
};
use serde_json::json;
use std::cell::RefCell;
use std::collections::HashMap;

/// A map with compare-and-swap, as Envoy has it.
#[derive(Default)]
struct Map(RefCell<HashMap<String, (Vec<u8>, u32)>>);

impl SharedStore for Map {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostStatus> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8], change: u32) -> Result<bool, HostStatus> {
        let mut map = self.0.borrow_mut();
        let entry = map.entry(key.to_owned()).or_default();
        let fits = change == 0 || change == entry.1;
        if fits {
            *entry = (value.to_vec(), entry.1 + 1);
        }
        Ok(fits)
    }
}

#[test]
fn those_are_copied_whom_the_canary_serves_first() {
    let shadowed =
        rollout(&json!({ "sticky": [{ "header": "x-user-id" }], "shadow": { "percent": 30 } }));
    let mut rng = fastrand::Rng::with_seed(3);
    let stable = Weights::giving(Color::Green, Percent::ZERO);
    for user in (0..300).map(|user| user.to_string()) {
        for (method, is_safe) in [("GET", true), ("HEAD", true), ("POST", false)] {
            let block = block(&[(":method", method), ("x-user-id", &user)]);
            let request = request(&block);
            let decision = shadowed.decide(&request, stable, &mut rng);
            let bucket = shadowed.salt.bucket(user.as_bytes()).number();
            assert_eq!(decision.is_copied, is_safe && bucket < 30_000);
            // While copies are judged, so are the requests that were copied, and no others.
            assert_eq!(
                shadowed.judges(&decision, stable, false),
                decision.is_copied
            );
            let copy = shadowed.decide_copy(&request);
            assert_eq!((copy.color, copy.is_copied), (Color::Green, false));
            assert!(shadowed.judges(&copy, stable, true));
            let some = Weights::giving(Color::Green, Percent::FIFTY);
            assert!(shadowed.judges(&decision, some, false));
            assert!(!shadowed.judges(&copy, some, true));
        }
    }
    assert_eq!(shadowed.canary_share(stable), Percent::FIFTY);
}

#[test]
fn answers_of_both_colors_to_one_request_are_compared_once() {
    let (map, keys) = (Map::default(), SharedKeys::of(b"bluegreen", b"bluegreen"));
    let answer = |request: &[u8], is_canarys, label: &[u8]| {
        let answer = Answer {
            request: RequestId::new(request, 7),
            is_canarys,
            label: AnswerLabel::from_bytes(label).expect("a label"),
        };
        answer
            .compare_or_store(&map, &keys)
            .expect("a map that takes all")
    };
    assert_eq!(answer(b"a", false, b"cat"), None);
    assert_eq!(answer(b"b", true, b"cat"), None);
    assert_eq!(answer(b"a", false, b"cat"), None, "the same color again");
    assert_eq!(answer(b"a", true, b"cat"), Some(false));
    assert_eq!(answer(b"a", true, b"cat"), None, "it was compared already");
    assert_eq!(answer(b"b", false, b"dog"), Some(true));
    for i in 0..20_000_u32 {
        answer(&i.to_le_bytes(), false, b"cat");
    }
    assert!(map.0.borrow().len() as u64 <= RequestId::PLACES);
}

#[test]
fn disagreement_is_judged_with_confidence() {
    let limited = rollout(&json!({
        "shadow": { "percent": 5, "compare": true, "max_disagreement": 10, "min_requests": 100 },
    }));
    let shadow = limited.shadow.expect("a shadow");
    let judge = |compared, differing| {
        shadow.judge(&ShadowCounts {
            requests: compared,
            compared,
            differing,
        })
    };
    assert_eq!(judge(0, 0), LimitVerdict::Undecided);
    assert_eq!(judge(99, 99), LimitVerdict::Undecided);
    assert_eq!(judge(200, 21), LimitVerdict::Undecided);
    assert_eq!(judge(200, 80), LimitVerdict::Broken);
    assert_eq!(judge(2_000, 100), LimitVerdict::Kept);
}
