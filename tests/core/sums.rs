//! What several reports come to.

use bluegreen::{Color, Outcomes, Report};

const fn outcomes(tp: u64, fp: u64, fn_: u64, tn: u64) -> Outcomes {
    Outcomes { tp, fp, fn_, tn }
}

const fn report(rollout: usize, color: Color, outcomes: Outcomes) -> Report {
    Report::new(rollout, color, outcomes)
}

#[test]
fn outcomes_are_added_kind_by_kind() {
    let mut sum = outcomes(1, 20, 300, 4_000);
    sum.add(&outcomes(5, 60, 700, 8_000));
    assert_eq!(sum, outcomes(6, 80, 1_000, 12_000));
    sum.add(&Outcomes::default());
    assert_eq!(sum, outcomes(6, 80, 1_000, 12_000));
}

#[test]
fn outcomes_without_end_do_not_wrap() {
    let most = outcomes(u64::MAX, u64::MAX, u64::MAX, u64::MAX);
    let mut sum = outcomes(1, 0, 2, u64::MAX);
    sum.add(&most);
    assert_eq!(sum, most);
}

#[test]
fn reports_of_one_rollout_and_color_become_one() {
    let sums = Report::sums(vec![
        report(1, Color::Green, outcomes(1, 2, 3, 4)),
        report(0, Color::Green, outcomes(5, 0, 0, 0)),
        report(1, Color::Blue, outcomes(0, 6, 0, 0)),
        report(1, Color::Green, outcomes(10, 20, 30, 40)),
        report(0, Color::Blue, outcomes(0, 0, 7, 0)),
        report(1, Color::Blue, outcomes(0, 0, 0, 8)),
        report(1, Color::Green, outcomes(100, 200, 300, 400)),
    ]);
    let expected = [
        report(1, Color::Green, outcomes(111, 222, 333, 444)),
        report(0, Color::Green, outcomes(5, 0, 0, 0)),
        report(1, Color::Blue, outcomes(0, 6, 0, 8)),
        report(0, Color::Blue, outcomes(0, 0, 7, 0)),
    ];
    assert_eq!(sums, expected);
    assert_eq!(Report::sums(expected.to_vec()), expected);
    assert_eq!(Report::sums(Vec::new()), []);
}
