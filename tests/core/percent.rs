//! Percentages in exact thousandths, and weights.

use bluegreen::{Color, PerColor, Percent, Weights};
use proptest::prelude::*;

#[track_caller]
fn accepted(text: &str, millipercent: u32, shown: &str) {
    let percent = Percent::parse(text).unwrap();
    assert_eq!(percent.millipercent(), millipercent, "{text}");
    assert_eq!(percent.to_string(), shown, "{text}");
}

#[track_caller]
fn rejected(text: &str) {
    let problem = Percent::parse(text).unwrap_err();
    let message = format!("{text}, must be a number from 0 to 100 in steps of 0.001");
    assert_eq!(problem.to_string(), message);
}

#[test]
fn decimals_in_steps_of_a_thousandth_are_accepted() {
    accepted("0", 0, "0");
    accepted("0.0", 0, "0");
    accepted("0.001", 1, "0.001");
    accepted("0.010", 10, "0.01");
    accepted("0.125", 125, "0.125");
    accepted("5", 5_000, "5");
    accepted("5.0", 5_000, "5");
    accepted("5.000", 5_000, "5");
    accepted("5.0000000", 5_000, "5");
    accepted("33.3", 33_300, "33.3");
    accepted("99.999", 99_999, "99.999");
    accepted("100", 100_000, "100");
    accepted("100.000", 100_000, "100");
}

#[test]
fn all_else_is_rejected() {
    for text in [
        "",
        " ",
        "-1",
        "-0.001",
        "+5",
        "0.0005",
        "0.0001",
        "5.0001",
        "100.001",
        "100.0001",
        "101",
        "1e1",
        "1E1",
        "1e-3",
        ".5",
        ".",
        "5,0",
        "5 ",
        " 5",
        "5%",
        "\"5\"",
        "0x5",
        "1.2.3",
        "1.-2",
        "1.+2",
        "NaN",
        "null",
        "true",
        "[5]",
        "4294967",
        "4294967296",
        "99999999999999999999",
        "٥",
    ] {
        rejected(text);
    }
}

#[test]
fn rest_is_what_is_missing_to_a_hundred() {
    let rest = |text| Percent::parse(text).unwrap().rest().to_string();
    assert_eq!(
        ["0", "0.001", "33.3", "100"].map(rest),
        ["100", "99.999", "66.7", "0"]
    );
}

#[test]
fn weights_that_make_a_hundred_are_accepted() {
    let [blue, green] = ["99.875", "0.125"].map(|it| Percent::parse(it).unwrap());
    let weights = Weights::new(PerColor { blue, green }).unwrap();
    assert_eq!(Color::ALL.map(|color| weights.of(color)), [blue, green]);
    assert_eq!(weights, Weights::giving(Color::Blue, blue));
    assert_eq!(weights, Weights::giving(Color::Green, green));
}

#[test]
fn weights_that_make_more_or_less_are_rejected() {
    for (blue, green, message) in [
        ("90", "5", "blue 90 + green 5 = 95, must be 100"),
        (
            "100",
            "0.001",
            "blue 100 + green 0.001 = 100.001, must be 100",
        ),
        ("0", "0", "blue 0 + green 0 = 0, must be 100"),
        ("100", "100", "blue 100 + green 100 = 200, must be 100"),
        (
            "33.333",
            "66.666",
            "blue 33.333 + green 66.666 = 99.999, must be 100",
        ),
    ] {
        let [blue, green] = [blue, green].map(|it| Percent::parse(it).unwrap());
        let problem = Weights::new(PerColor { blue, green }).unwrap_err();
        assert_eq!(problem.to_string(), message);
    }
}

/// Thousandths by way of digits: the point is moved three places to the right, and zeros must follow.
fn reference(text: &str) -> Option<u32> {
    let point = text.find('.').unwrap_or(text.len());
    let (whole, places) = (&text[..point], text.get(point + 1..));
    let places = places.unwrap_or("0");
    let is_decimal = !whole.is_empty()
        && (whole.to_owned() + places)
            .chars()
            .all(|it| it.is_ascii_digit());
    let padded = places.to_owned() + "000";
    let (kept, rest) = padded.split_at_checked(3)?;
    if !is_decimal || rest.chars().any(|it| it != '0') {
        return None;
    }
    let thousandths: u128 = (whole.to_owned() + kept).parse().ok()?;
    u32::try_from(thousandths).ok().filter(|&it| it <= 100_000)
}

proptest! {
    #[test]
    fn what_is_shown_reads_as_the_same(thousandths in 0_u32..=100_000) {
        let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        let percent = Percent::parse(&text).unwrap();
        prop_assert_eq!(percent.millipercent(), thousandths);
        prop_assert_eq!(Percent::parse(&percent.to_string()).unwrap(), percent);
    }

    #[test]
    fn text_is_read_as_the_reference_reads_it(
        text in "[0-9.+eE -]{0,8}|[0-9]{1,4}(\\.[0-9]{0,6})?|0{0,3}[0-9]{1,3}\\.0{0,4}[0-9]{0,2}|.{0,6}",
    ) {
        let read = Percent::parse(&text).ok().map(Percent::millipercent);
        prop_assert_eq!(read, reference(&text), "{}", text);
    }
}
