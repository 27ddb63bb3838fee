//! From key to bucket, and from bucket to color.

use crate::support::percent;
use bluegreen::{Bucket, Color, Percent, Salt, Weights};
use proptest::prelude::*;
use serde_json::Value;

fn green(percent: Percent) -> Weights {
    Weights::giving(Color::Green, percent)
}

fn of_millipercent(thousandths: u32) -> Percent {
    let (whole, places) = (thousandths / 1_000, thousandths % 1_000);
    percent(&format!("{whole}.{places:03}"))
}

/// How many of 100,000 users are green.
fn greens(salt: &str, weights: Weights) -> u32 {
    let salt = Salt::new(salt);
    let users = (0..100_000).map(|user| format!("user-{user}"));
    let colors = users.map(|user| salt.bucket(user.as_bytes()).color(weights));
    u32::try_from(colors.filter(|&color| color == Color::Green).count()).unwrap()
}

#[test]
fn buckets_agree_with_another_implementation() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors/vectors.json")).unwrap();
    assert_eq!(vectors.len(), 98);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let hex = text("key_hex").as_bytes().chunks_exact(2);
        let key: Vec<u8> = hex
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        let bucket = Salt::new(text("salt")).bucket(&key).number();
        assert_eq!(u64::from(bucket), vector["bucket"], "{vector}");
    }
}

#[test]
fn bucket_is_the_floor_of_the_hash_as_a_fraction_of_its_range() {
    let last_of_bucket_0 = u64::MAX / 100_000;
    for (hash, bucket) in [
        (0, 0),
        (last_of_bucket_0, 0),
        (last_of_bucket_0 + 1, 1),
        (1 << 63, 50_000),
        ((1 << 63) - 1, 49_999),
        (u64::MAX, 99_999),
    ] {
        assert_eq!(Bucket::from_hash(hash).number(), bucket, "{hash}");
    }
}

#[test]
fn green_serves_the_buckets_below_its_weight() {
    let first = Bucket::from_hash(0);
    let second = Bucket::from_hash(u64::MAX / 100_000 + 1);
    let last = Bucket::from_hash(u64::MAX);
    for (weight, colors) in [
        ("0", [Color::Blue, Color::Blue, Color::Blue]),
        ("0.001", [Color::Green, Color::Blue, Color::Blue]),
        ("0.002", [Color::Green, Color::Green, Color::Blue]),
        ("99.999", [Color::Green, Color::Green, Color::Blue]),
        ("100", [Color::Green, Color::Green, Color::Green]),
    ] {
        let weights = green(percent(weight));
        assert_eq!(
            [first, second, last].map(|it| it.color(weights)),
            colors,
            "{weight}"
        );
    }
}

/// Two-sided binomial test at the level of 1 in 1,000,000 for each weight: 4.89 standard deviations.
#[test]
fn split_of_many_users_is_that_of_the_weights() {
    for (salt, weight) in [
        ("a", 1.0),
        ("b", 5.0),
        ("c", 50.0),
        ("d", 95.0),
        ("e", 99.0),
    ] {
        let share: f64 = weight / 100.0;
        let expected = 100_000.0 * share;
        let bound = 4.89 * (expected * (1.0 - share)).sqrt();
        let greens = f64::from(greens(salt, green(percent(&weight.to_string()))));
        assert!((greens - expected).abs() <= bound, "{greens} at {weight} %");
    }
}

#[test]
fn weights_of_0_and_100_leave_nobody_out() {
    assert_eq!(greens("a", green(Percent::ZERO)), 0);
    assert_eq!(greens("a", green(Percent::HUNDRED)), 100_000);
}

/// Chi-squared test over 100 equal groups of buckets, 99 degrees of freedom, at the level of 1 in 1,000,000.
#[test]
fn random_buckets_are_spread_evenly() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut groups = [0_u32; 100];
    for _ in 0..100_000 {
        groups[Bucket::random(&mut rng).number() as usize / 1_000] += 1;
    }
    let off = groups.map(|found| (f64::from(found) - 1_000.0).powi(2) / 1_000.0);
    let chi_squared: f64 = off.iter().sum();
    assert!(chi_squared < 177.9, "{chi_squared}");
}

/// Independent salts: of those green under one, half are green under the other; bounds as for the split.
#[test]
fn another_salt_draws_other_users() {
    let (one, other) = (Salt::new("one"), Salt::new("other"));
    let half = green(percent("50"));
    let both = (0..100_000)
        .map(|user: u32| user.to_le_bytes())
        .filter(|user| {
            [&one, &other].map(|salt| salt.bucket(user).color(half)) == [Color::Green; 2]
        });
    let (both, bound) = (both.count(), 4.89 * (100_000.0_f64 * 0.25 * 0.75).sqrt());
    assert!(
        (25_000 - bound as usize..=25_000 + bound as usize).contains(&both),
        "{both}"
    );
}

#[test]
fn salt_and_key_do_not_run_into_each_other() {
    assert_ne!(Salt::new("ab").bucket(b"c"), Salt::new("a").bucket(b"bc"));
}

proptest! {
    #[test]
    fn raising_green_moves_users_to_green_only(
        salt in ".{0,40}",
        key in proptest::collection::vec(any::<u8>(), 0..100),
        low in 0_u32..=100_000,
        high in 0_u32..=100_000,
    ) {
        let (low, high) = (low.min(high), low.max(high));
        let bucket = Salt::new(&salt).bucket(&key);
        let [before, after] = [low, high].map(|it| bucket.color(green(of_millipercent(it))));
        prop_assert!((before, after) != (Color::Green, Color::Blue));
    }

    #[test]
    fn color_is_a_function_of_salt_key_and_weights(
        salt in ".{0,40}",
        key in proptest::collection::vec(any::<u8>(), 0..100),
        thousandths in 0_u32..=100_000,
    ) {
        let green_weight = green(of_millipercent(thousandths));
        let blue_weight = Weights::giving(Color::Blue, of_millipercent(100_000 - thousandths));
        let bucket = || Salt::new(&salt).bucket(&key);
        prop_assert_eq!(bucket().color(green_weight), bucket().color(blue_weight));
        let expected = if bucket().number() < thousandths { Color::Green } else { Color::Blue };
        prop_assert_eq!(bucket().color(green_weight), expected);
    }

    #[test]
    fn bucket_rises_with_the_hash(low: u64, high: u64) {
        let (low, high) = (low.min(high), low.max(high));
        prop_assert!(Bucket::from_hash(low) <= Bucket::from_hash(high));
        prop_assert!(Bucket::from_hash(high).number() < Bucket::COUNT);
    }
}

#[test]
fn the_least_weight_of_green_is_the_first_that_serves_a_bucket() {
    let all: Vec<Bucket> = Bucket::all().collect();
    assert_eq!(all.len(), 100_000);
    for bucket in [all[0], all[1], all[49_999], all[99_999]] {
        let least = bucket.least_green();
        let below = Percent::from_millipercent(least.millipercent() - 1);
        assert_eq!(bucket.color(green(least)), Color::Green);
        assert_eq!(bucket.color(green(below)), Color::Blue);
    }
    assert_eq!(Percent::from_millipercent(100_001), Percent::HUNDRED);
}
