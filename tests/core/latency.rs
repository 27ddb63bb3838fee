//! Percentiles of recent durations.

use bluegreen::analysis::latency::{LatencyCounts, RecentLatency};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

fn counts(durations: impl IntoIterator<Item = u64>) -> LatencyCounts {
    let mut counts = LatencyCounts::default();
    durations.into_iter().for_each(|ns| counts.add(ns));
    counts
}

fn p95_ms(durations: impl IntoIterator<Item = u64>) -> Option<f64> {
    let mut recent = RecentLatency::default();
    recent.add(0, &counts(durations));
    recent.p95_ns().map(|ns| ns as f64 / MS as f64)
}

#[test]
fn too_few_durations_have_no_percentile() {
    assert_eq!(p95_ms([5 * MS; 99]), None);
    assert!(p95_ms([5 * MS; 100]).is_some());
}

#[test]
fn percentile_is_an_eighth_of_a_power_of_two_exact() {
    for ms in [1, 3, 10, 100, 1_000, 60_000] {
        let p95 = p95_ms((1..=1_000).map(|it| it * ms * MS / 950)).unwrap();
        let exact = ms as f64;
        assert!((exact..exact * 1.2 + 0.1).contains(&p95), "{ms}: {p95}");
    }
}

#[test]
fn what_is_older_than_a_minute_or_so_is_forgotten() {
    let mut recent = RecentLatency::default();
    recent.add(0, &counts([1_000 * MS; 1_000]));
    for second in 1..120 {
        recent.add(second * 1_000, &counts([MS; 10]));
    }
    assert!(recent.p95_ns().unwrap() < 2 * MS);
}

#[test]
fn since_gives_what_is_new() {
    let before = counts([MS, 2 * MS]);
    let after = counts([MS, 2 * MS, 2 * MS, 500 * MS]);
    assert_eq!(after.since(&before), counts([2 * MS, 500 * MS]));
    assert_eq!(before.since(&after).iter().count(), 0);
}

proptest! {
    #[test]
    fn no_duration_is_above_the_end_of_its_bucket(ns in 0_u64..4_000_000_000_000) {
        let p95 = p95_ms([ns; 100]).unwrap() * MS as f64;
        let ns = ns as f64;
        prop_assert!(p95 >= ns && p95 <= ns * 1.126 + 65_536.0, "{ns}: {p95}");
    }

    #[test]
    fn any_duration_is_counted(ns: u64) {
        prop_assert_eq!(counts([ns]).iter().map(|(_, count)| count).sum::<u64>(), 1);
    }
}
