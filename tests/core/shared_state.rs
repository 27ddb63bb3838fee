//! What all workers agree on, as text.

use bluegreen::{
    Cause, Color, Entry, Outcomes, PerColor, Release, ReleaseLabel, RolloutName, SharedState,
};
use proptest::prelude::*;

fn name(text: &str) -> RolloutName {
    RolloutName::parse(text).unwrap()
}

fn label(text: &str) -> ReleaseLabel {
    ReleaseLabel::parse(text).unwrap()
}

const COUNTED: Outcomes = Outcomes {
    tp: 1,
    fp: 2,
    fn_: 3,
    tn: 4,
};
const MORE: Outcomes = Outcomes {
    tp: 11,
    fp: 22,
    fn_: 33,
    tn: 44,
};

#[test]
fn ledger_is_one_line_for_each_fact() {
    let mut ledger = SharedState::default();
    let entry = ledger.entry_mut(&name("rec"));
    entry.trip = Some((7, Cause::SlowRateOverStable));
    entry.promoted = Some((8, 1_795_428_000_000));
    entry.begin_release(Color::Blue, None, Outcomes::default());
    entry.begin_release(Color::Green, Some(&label("2026-11 rc 1")), COUNTED);
    assert_eq!(
        ledger.render(),
        "rec trip 7 slow_rate_over_stable\n\
         rec promoted 8 1795428000000\n\
         rec blue 0 0 0 0 \n\
         rec green 1 2 3 4 2026-11 rc 1\n"
    );
    assert_eq!(SharedState::parse(ledger.render().as_bytes()), ledger);
}

#[test]
fn nothing_is_known_at_first() {
    let ledger = SharedState::parse(b"");
    assert_eq!(ledger, SharedState::default());
    assert_eq!(ledger.entry(&name("rec")), None);
    assert_eq!(ledger.render(), "");
}

#[test]
fn lines_that_are_no_facts_are_passed_over() {
    for line in [
        "",
        " ",
        "rec",
        "rec ",
        "rec trip",
        "rec trip 7",
        "rec trip x quality",
        "rec trip -7 quality",
        "rec trip 7 Quality",
        "rec trip 7 quality now",
        "rec promoted 7",
        "rec promoted 7 x",
        "rec promoted x 7",
        "rec purple 1 2 3 4 a",
        "rec green 1 2 3 a",
        "rec green 1 2 3 4",
        "rec green 1 2 3 -4 a",
        "rec green 18446744073709551616 2 3 4 a",
        "\u{fffd}\0",
    ] {
        let text = format!("{line}\nother trip 1 quality\n");
        assert_eq!(
            SharedState::parse(text.as_bytes()).render(),
            "other trip 1 quality\n",
            "{line:?}"
        );
    }
    assert_eq!(
        SharedState::parse(b"\xff\xfe\nrec trip 1 quality").render(),
        "rec trip 1 quality\n"
    );
}

#[test]
fn release_begins_where_the_label_is_new() {
    let mut entry = Entry::default();
    assert!(entry.begin_release(Color::Green, Some(&label("1")), COUNTED));
    assert!(!entry.begin_release(Color::Green, Some(&label("1")), MORE));
    assert_eq!(
        entry.releases.green,
        Some(Release {
            label: "1".to_owned(),
            before: COUNTED
        })
    );
    assert!(entry.begin_release(Color::Green, Some(&label("2")), MORE));
    assert_eq!(
        entry.releases.green,
        Some(Release {
            label: "2".to_owned(),
            before: MORE
        })
    );
    assert_eq!(entry.releases.blue, None);
}

#[test]
fn release_without_a_label_is_one_too() {
    let mut entry = Entry::default();
    assert!(entry.begin_release(Color::Blue, None, COUNTED));
    assert!(!entry.begin_release(Color::Blue, None, MORE));
    assert!(entry.begin_release(Color::Blue, Some(&label("1")), MORE));
    assert!(entry.begin_release(Color::Blue, None, MORE));
}

#[test]
fn outcomes_of_a_release_are_those_since_it_began() {
    let release = Release {
        label: String::new(),
        before: COUNTED,
    };
    assert_eq!(
        release.since(MORE),
        Outcomes {
            tp: 10,
            fp: 20,
            fn_: 30,
            tn: 40
        }
    );
    assert_eq!(release.since(COUNTED), Outcomes::default());
    assert_eq!(release.since(Outcomes::default()), Outcomes::default());
}

#[test]
fn causes_are_known_by_the_names_of_the_stats() {
    let names = [
        "error_rate",
        "error_rate_over_stable",
        "slow_rate",
        "slow_rate_over_stable",
        "quality",
    ];
    assert_eq!(Cause::ALL.map(Cause::as_str), names);
    assert_eq!(
        names.map(|name| Cause::from_name(name).unwrap()),
        Cause::ALL
    );
}

fn release() -> impl Strategy<Value = Release> {
    let label = prop_oneof![Just(String::new()), "[^\\p{Cc}]{1,30}"];
    (label, any::<[u64; 4]>()).prop_map(|(label, [tp, fp, fn_, tn])| Release {
        label,
        before: Outcomes { tp, fp, fn_, tn },
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let cause =
        (any::<u64>(), 0..Cause::ALL.len()).prop_map(|(digest, index)| (digest, Cause::ALL[index]));
    let releases = (
        proptest::option::of(release()),
        proptest::option::of(release()),
    );
    (
        proptest::option::of(cause),
        any::<Option<(u64, u64)>>(),
        releases,
    )
        .prop_map(|(trip, promoted, (blue, green))| Entry {
            trip,
            promoted,
            releases: PerColor { blue, green },
        })
        .prop_filter("an entry without a fact is not written", |entry| {
            *entry != Entry::default()
        })
}

proptest! {
    #[test]
    fn all_facts_read_back_as_they_were(entries in proptest::collection::btree_map("[a-z0-9_-]{1,64}", entry(), 0..6)) {
        let mut ledger = SharedState::default();
        for (text, entry) in entries {
            *ledger.entry_mut(&name(&text)) = entry;
        }
        prop_assert_eq!(SharedState::parse(ledger.render().as_bytes()), ledger);
    }

    #[test]
    fn any_bytes_can_be_parsed(bytes: Vec<u8>, text in "([a ]{0,3}(trip|green|promoted|[0-9 ]{0,9}|\n)){0,9}") {
        let _ = SharedState::parse(&bytes);
        let once = SharedState::parse(SharedState::parse(text.as_bytes()).render().as_bytes());
        prop_assert_eq!(SharedState::parse(once.render().as_bytes()), once);
    }
}
