//! Sums of scores: exact in any order, and what sums can't be.

use bluegreen::{Color, Micro, RolloutCounts, ScoreSum, ScoreSums};
use proptest::prelude::*;

fn micro(text: &str) -> Micro {
    Micro::parse(text).unwrap()
}

fn of(scores: &[&str]) -> ScoreSum {
    let mut sum = ScoreSum::default();
    for score in scores {
        sum.add(&ScoreSum::of(micro(score)));
    }
    sum
}

#[test]
fn scores_are_read_to_the_letter_and_rounded_to_a_millionth() {
    for (text, millionths) in [
        ("0", 0),
        ("4.5", 4_500_000),
        ("0.1", 100_000),
        ("1e-3", 1_000),
        ("12E+2", 1_200_000_000),
        ("0.0000005", 1),
        ("0.00000049999", 0),
        ("1.9999999", 2_000_000),
        ("1e-400", 0),
        ("0e999999999999", 0),
        ("1000000000", 1_000_000_000_000_000),
        ("1e9", 1_000_000_000_000_000),
        ("1000000000.0000001", 1_000_000_000_000_000),
        (
            "0.00000000000000000000000000000000000000000000001e47",
            1_000_000,
        ),
    ] {
        assert_eq!(
            Micro::parse(text).map(Micro::millionths),
            Some(millionths),
            "{text}"
        );
    }
    for text in [
        "",
        "-1",
        "-0",
        "+1",
        "NaN",
        "nan",
        "Infinity",
        "inf",
        "1e10",
        "1000000001",
        "1e400",
        "1e9999999999999999999999",
        "0x1",
        "1_000",
        ".5",
        "5.",
        "1e",
        "1e+",
        "1.5.1",
        "1 ",
        " 1",
        "true",
        "\"1\"",
        "é",
    ] {
        assert_eq!(Micro::parse(text), None, "{text}");
    }
    let shown = ["4.5", "0.000001", "1000000000", "0"].map(|text| micro(text).to_string());
    assert_eq!(shown, ["4.5", "0.000001", "1000000000", "0"]);
}

#[test]
fn sums_have_a_mean_and_distances_to_it() {
    let sum = of(&["4", "5", "3.5"]);
    assert_eq!((sum.count(), sum.mean_micro()), (3, Some(4_166_667)));
    let mean = 12.5 / 3.0;
    let distances: f64 = [4.0, 5.0, 3.5]
        .map(|score: f64| (score - mean).powi(2))
        .iter()
        .sum();
    assert!((sum.squared_distances() - distances).abs() < 1e-12);
    assert_eq!(ScoreSum::default().mean(), None);
    // Where a mean of 10^9 leaves nothing of a variance of 1 in floating point.
    let far = of(&["999999999", "1000000000", "999999998"]);
    assert!((far.squared_distances() - 2.0).abs() < 1e-6, "{far:?}");
}

#[test]
fn scores_of_zero_and_one_are_known() {
    assert!(of(&["0", "1", "1"]).is_binary());
    assert_eq!(of(&["0", "1", "1"]).ones(), 2);
    assert!(of(&["0", "0"]).is_binary());
    for scores in [&["0", "2"][..], &["0.5"], &["1", "1.000001"], &["0.999999"]] {
        assert!(!of(scores).is_binary(), "{scores:?}");
    }
}

#[test]
fn sums_that_no_scores_have_are_none() {
    let many = |count, sum, squares| ScoreSum::of_many(count, sum, squares);
    assert_eq!(many(3, "12.5", "53.25"), Some(of(&["4", "5", "3.5"])));
    assert_eq!(many(0, "0", "0"), Some(ScoreSum::default()));
    // As floating point adds up three times 0.1, and a third.
    assert!(many(3, "0.30000000000000004", "0.030000000000000006").is_some());
    assert!(many(3, "1.0", "0.3333333333333333").is_some());
    assert!(many(1_000_000_000, "333333333.3333333", "111111111.1111111").is_some());
    assert!(many(1_000_000, "1e15", "1e24").is_some());
    for (count, sum, squares) in [
        (100, "412", "1697.43"),
        (2, "10", "10"),
        (0, "1", "1"),
        (1, "0", "1"),
        (1, "1000000001", "1e18"),
        (2, "2", "1e10"),
        (1, "-1", "1"),
        (1, "1", "-1"),
        (1, "1", "1e400"),
        (1_000_000_001, "1", "1"),
        (1_000_000_000, "1e18", "1e27"),
    ] {
        assert_eq!(many(count, sum, squares), None, "{count} {sum} {squares}");
    }
}

#[test]
fn sums_beyond_all_bounds_do_not_wrap() {
    let most = ScoreSum::of_many(100_000_000, "1e17", "1e26").unwrap();
    let mut sum = most;
    for _ in 0..10 {
        sum.add(&most);
    }
    assert_eq!(sum.count(), 1_100_000_000);
    assert_eq!(sum.mean_micro(), Some(1_000_000_000_000_000));
    assert_eq!(sum.squared_distances(), 0.0);
}

#[test]
fn counts_with_scores_come_back_from_json() {
    let mut counts = RolloutCounts::default();
    let json = serde_json::to_string(&counts).unwrap();
    assert!(!json.contains("scores"), "{json}");
    assert_eq!(
        serde_json::from_str::<RolloutCounts>(&json).unwrap(),
        counts
    );
    let large = ScoreSum::of_many(100_000_000, "1e17", "1e26").unwrap();
    counts.totals.scores.green.add_to("rating", &large);
    counts.totals.scores.green.add_to("cost", &of(&["0.02"]));
    let json = serde_json::to_string(&counts).unwrap();
    assert_eq!(
        serde_json::from_str::<RolloutCounts>(&json).unwrap(),
        counts
    );
}

#[test]
fn scores_count_for_their_own_release_only() {
    let mut first = RolloutCounts::default();
    first.totals.scores.green.add_to("rating", &of(&["4"]));
    first.totals.scores.blue.add_to("rating", &of(&["3"]));
    let mut next = first.epoch;
    next.releases.green += 1;
    let mut counts = RolloutCounts::of(next);
    counts.add(&first);
    assert_eq!(counts.totals.scores.green.of("rating").count(), 0);
    assert_eq!(counts.totals.scores.blue.of("rating").count(), 1);
    let rest = first.since(&first);
    for color in Color::ALL {
        assert_eq!(
            rest.totals.scores.of(color).of("rating"),
            ScoreSum::default()
        );
    }
}

proptest! {
    #[test]
    fn order_makes_no_difference(scores in prop::collection::vec((0..3_usize, 0..=1_000_000_000_000_000_u64), 0..60), split in 0..60_usize) {
        let names = ["a", "b", "c"];
        let add = |sums: &mut ScoreSums, items: &[(usize, u64)]| {
            for (name, score) in items {
                sums.add_to(names[*name], &ScoreSum::of(Micro::from_millionths(*score)));
            }
        };
        let mut whole = ScoreSums::default();
        add(&mut whole, &scores);
        let (one, other) = scores.split_at(split.min(scores.len()));
        let mut parts = [ScoreSums::default(), ScoreSums::default()];
        add(&mut parts[0], one);
        add(&mut parts[1], other);
        let [one, mut other] = parts;
        let begin = other.clone();
        other.add(&one);
        prop_assert_eq!(&other, &whole);
        for name in names {
            prop_assert_eq!(other.since(&begin).of(name), one.of(name));
        }
    }

    #[test]
    fn any_text_is_a_score_or_none(text in r"[-+0-9.eE]{0,30}") {
        let score = Micro::parse(&text).map(Micro::to_f64);
        if let Some(score) = score {
            let read: f64 = text.parse().unwrap();
            prop_assert!((score - read).abs() <= 1e-6 * (1.0 + read.abs() * 1e-6), "{}", text);
        }
    }
}
