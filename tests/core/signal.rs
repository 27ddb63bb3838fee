//! Whether the access log's signal is relied on.

use bluegreen::{ProbeReason, Signal, StreamEnd};

const BAD: StreamEnd = StreamEnd {
    code: 503,
    ..StreamEnd::PLAIN
};

/// A signal that has been seen to come, with its counter at 1.
fn proven() -> Signal {
    let mut signal = Signal::new(0);
    let look = signal.probe(1).expect("a signal");
    assert!(!signal.learn(look, &BAD));
    signal
}

/// Why a stream is looked at, the next one that is no probe.
fn look(signal: &mut Signal, count: u64) -> Option<ProbeReason> {
    match signal.probe(count) {
        Some(ProbeReason::Probe) => signal.probe(count),
        other => other,
    }
}

#[test]
fn envoy_offers_it_from_1_39_on_or_does_not_tell_its_version() {
    for (version, is_offered) in [
        (Some((1, 36)), false),
        (Some((1, 38)), false),
        (Some((1, 39)), true),
        (Some((1, 40)), true),
        (Some((2, 0)), true),
        (None, true),
    ] {
        assert_eq!(Signal::is_offered_by(version), is_offered, "{version:?}");
    }
}

#[test]
fn every_stream_is_looked_at_until_a_signal_has_been_seen_to_come() {
    let mut signal = Signal::new(7);
    for _ in 0..1_000 {
        let found = signal.probe(7);
        assert!(matches!(
            found,
            Some(ProbeReason::Unproven | ProbeReason::Probe)
        ));
        assert!(!signal.learn(found.unwrap(), &StreamEnd::PLAIN));
    }
    // Another worker's stream: it proves nothing that this one was plain.
    assert_eq!(signal.probe(8), Some(ProbeReason::Signaled));
    assert!(!signal.learn(ProbeReason::Signaled, &StreamEnd::PLAIN));
    assert_eq!(look(&mut signal, 8), Some(ProbeReason::Unproven));

    assert_eq!(signal.probe(9), Some(ProbeReason::Signaled));
    assert!(!signal.learn(ProbeReason::Signaled, &BAD));
    assert_eq!(look(&mut signal, 9), None);
}

#[test]
fn proven_signal_has_those_looked_at_whose_counter_has_risen() {
    let mut signal = proven();
    assert_eq!(look(&mut signal, 1), None);
    assert_eq!(look(&mut signal, 2), Some(ProbeReason::Signaled));
    assert_eq!(look(&mut signal, 2), None);
    assert_eq!(look(&mut signal, 1_000), Some(ProbeReason::Signaled));
}

#[test]
fn proven_signal_is_tested_now_and_then() {
    let mut signal = proven();
    let streams = 100 * Signal::STREAMS_PER_PROBE;
    let probes = (0..streams).filter_map(|_| signal.probe(1));
    assert_eq!(probes.collect::<Vec<_>>(), [ProbeReason::Probe; 100]);
}

#[test]
fn signal_that_did_not_come_twice_is_relied_on_no_more() {
    for reason in [ProbeReason::Unproven, ProbeReason::Probe] {
        for mut signal in [Signal::new(1), proven()] {
            assert!(!signal.learn(reason, &BAD));
            assert!(signal.learn(reason, &BAD));
            assert!(!signal.learn(reason, &BAD), "said once");
            assert_eq!(look(&mut signal, 1), Some(ProbeReason::Unproven));
            // No later signal makes up for it.
            assert_eq!(signal.probe(2), Some(ProbeReason::Signaled));
            assert!(!signal.learn(ProbeReason::Signaled, &BAD));
            assert_eq!(look(&mut signal, 2), Some(ProbeReason::Unproven));
        }
    }
}

/// After a reset the counter may come back to where it was just when a stream fails.
#[test]
fn one_stream_that_was_not_signaled_is_forgiven_where_the_next_is() {
    let mut signal = proven();
    for count in 2..100 {
        assert!(!signal.learn(ProbeReason::Probe, &BAD));
        assert_eq!(look(&mut signal, count), Some(ProbeReason::Signaled));
        assert!(!signal.learn(ProbeReason::Signaled, &BAD));
    }
    assert_eq!(look(&mut signal, 99), None);
}

#[test]
fn trust_can_be_lost_to_what_others_found() {
    let mut signal = proven();
    assert!(signal.lose());
    assert!(!signal.lose());
    assert_eq!(look(&mut signal, 1), Some(ProbeReason::Unproven));
}

/// `/reset_counters` may bring the counter back to where it was seen last.
#[test]
fn counter_that_was_reset_is_noticed() {
    let mut signal = proven();
    signal.resync(0);
    assert_eq!(look(&mut signal, 1), Some(ProbeReason::Signaled));
    signal.resync(5);
    assert_eq!(look(&mut signal, 5), Some(ProbeReason::Signaled));
}

#[test]
fn retries_are_watched_where_a_probe_finds_one() {
    let mut signal = Signal::new(0);
    assert_eq!(signal.probe(1), Some(ProbeReason::Signaled));
    signal.learn(ProbeReason::Signaled, &BAD);
    let retried = StreamEnd {
        attempts: 2,
        ..StreamEnd::PLAIN
    };
    let queried = |signal: &mut Signal, streams: u32| {
        (0..streams).filter(|_| signal.probe(1).is_some()).count() as u32
    };
    assert_eq!(queried(&mut signal, 10 * Signal::STREAMS_PER_PROBE), 10);
    // It is no sign that the signal fails.
    assert!(!signal.learn(ProbeReason::Probe, &retried));
    assert!(!signal.learn(ProbeReason::Retries, &retried));
    assert_eq!(
        queried(&mut signal, Signal::STREAMS_AFTER_RETRY),
        Signal::STREAMS_AFTER_RETRY
    );
    let later = queried(&mut signal, 10 * Signal::STREAMS_PER_PROBE);
    assert!((10..=50).contains(&later), "{later}");
}
