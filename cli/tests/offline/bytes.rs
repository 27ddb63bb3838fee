//! A move leaves every other byte as it is, however the file is written.

use bluegreen_cli::json::edits::{insert_after, remove_field, remove_first_items, replace};
use bluegreen_cli::json::tree::Tree;
use bluegreen_cli::source::layer::apply;
use proptest::prelude::*;

use crate::support::{Place, ecds};

/// An object as its pieces: blanks before each field, the field, blanks behind it.
type Pieces = Vec<(String, String, String)>;

fn rendered(pieces: &Pieces, end: &str) -> String {
    let fields: Vec<String> = pieces
        .iter()
        .map(|(before, field, behind)| format!("{before}{field}{behind}"))
        .collect();
    format!("{{{}{end}}}", fields.join(","))
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(" ".to_owned()),
        Just("\n      ".to_owned()),
        Just("\n\n\t  ".to_owned()),
        Just("   ".to_owned()),
    ]
}

/// The fields of a rollout in any order, with any blanks.
fn rollout() -> impl Strategy<Value = Pieces> {
    let fields = vec![
        r#""name":"demo""#,
        r#""clusters" : {"blue":"b",  "green":"g"}"#,
        r#""weights": { "green" :10.0 , "blue":  90 }"#,
        r#""ramp": {"steps":[{ "weight": 50 }],"start":"2030-01-01T00:00:00Z"}"#,
        r#""sticky": [ { "header": "x-e" } ]"#,
        r#""stable":"\u0062lue""#,
    ];
    let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
    let blanks = proptest::collection::vec((blank(), blank()), fields.len());
    (Just(fields).prop_shuffle(), blanks).prop_map(|(fields, blanks)| {
        let with_blanks = fields.into_iter().zip(blanks);
        with_blanks
            .map(|(field, (before, behind))| (before, field, behind))
            .collect()
    })
}

/// The configuration around a rollout.
fn document(rollout: &str) -> String {
    format!(
        "{{ \"rollouts\"\n:[ {{\"name\":\"first\",\"match\":{{\"path_prefix\":\"/x\"}},\"clusters\":{{\"blue\":\"b\",\"green\":\"g\"}},\"weights\":{{\"blue\":100,\"green\":0}}}} ,\n{rollout}\n],\"version\":\"ü\"}}\n"
    )
}

/// Files that embed it.
fn embedded(json: &str, how: usize) -> String {
    let block = ecds(json).replace("root_id: bluegreen\n", "root_id:   bluegreen   # mine\n");
    match how {
        0 => json.to_owned(),
        1 => block + "# the end\n",
        2 => (block + "# the end\n").replace('\n', "\r\n"),
        3 => {
            let head = &block[..block.find("value: |").expect("the value")];
            format!("{head}value: {}  # quoted\n", serde_json::Value::from(json))
        }
        _ => {
            let inner: String = block.lines().map(|line| format!("    {line}\n")).collect();
            format!(
                "# a map\nkind: ConfigMap\ndata:\n  bluegreen.yaml: |\n{inner}metadata: {{ name: \"x\" }}\n"
            )
        }
    }
}

fn with_field(pieces: &Pieces, name: &str, change: impl Fn(&str) -> String) -> Pieces {
    let key = format!("\"{name}\"");
    let changed = |(before, field, behind): &(String, String, String)| {
        let is_it = field.starts_with(&key);
        let field = if is_it { change(field) } else { field.clone() };
        (before.clone(), field, behind.clone())
    };
    pieces.iter().map(changed).collect()
}

/// The pieces and the end of the object without a field: a comma and the blanks of the field go with it.
fn without_field(pieces: &Pieces, name: &str, end: &str) -> (Pieces, String) {
    let key = format!("\"{name}\"");
    let at = pieces
        .iter()
        .position(|(_, field, _)| field.starts_with(&key))
        .expect("the field");
    let mut left = pieces.clone();
    let (before, _, behind) = left.remove(at);
    if at < left.len() {
        left[at].0 = before;
        (left, end.to_owned())
    } else {
        let last = left.last_mut().expect("a field before");
        last.2 = String::new();
        (left, format!("{behind}{end}"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_shift_changes_two_numbers(pieces in rollout(), end in blank(), how in 0..5_usize) {
        let (pieces, end) = without_field(&pieces, "ramp", &end);
        let after = with_field(&pieces, "weights", |field| field.replace("10.0", "25.125").replace("90", "74.875"));
        let place = Place::new(&embedded(&document(&rendered(&pieces, &end)), how));
        let run = place.run(&["shift", "bluegreen.yaml", "demo", "--green", "25.125"]);
        prop_assert_eq!(run.code, 0, "{:?}", run);
        prop_assert_eq!(place.text(), embedded(&document(&rendered(&after, &end)), how));
    }

    #[test]
    fn a_rollback_takes_the_ramp_out(pieces in rollout(), end in blank(), how in 0..5_usize) {
        let text = embedded(&document(&rendered(&pieces, &end)), how);
        let after = with_field(&pieces, "weights", |field| field.replace("10.0", "0").replace("90", "100"));
        let (after, after_end) = without_field(&after, "ramp", &end);
        let place = Place::new(&text);
        let run = place.run(&["rollback", "bluegreen.yaml", "demo"]);
        prop_assert_eq!(run.code, 0, "{:?}", run);
        prop_assert_eq!(place.text(), embedded(&document(&rendered(&after, &after_end)), how));
        let undone = place.run(&["undo", "bluegreen.yaml"]);
        prop_assert_eq!(undone.code, 0, "{:?}", undone);
        prop_assert_eq!(place.text(), text);
    }

    #[test]
    fn a_swap_changes_the_stable_color(pieces in rollout(), end in blank(), how in 0..5_usize) {
        let after = with_field(&pieces, "stable", |field| field.replace("\"\\u0062lue\"", "\"green\""));
        let (after, after_end) = without_field(&after, "ramp", &end);
        let place = Place::new(&embedded(&document(&rendered(&pieces, &end)), how));
        let run = place.run(&["swap", "bluegreen.yaml", "demo"]);
        prop_assert_eq!(run.code, 0, "{:?}", run);
        prop_assert_eq!(place.text(), embedded(&document(&rendered(&after, &after_end)), how));
    }
}

#[track_caller]
fn edited(
    json: &str,
    edit: impl Fn(&Tree) -> Option<bluegreen_cli::source::layer::Edit>,
) -> String {
    let tree = Tree::parse(json).expect("JSON");
    apply(json, &[edit(&tree).expect("an edit")]).expect("a text")
}

#[test]
fn fields_go_with_their_comma() {
    let cases = [
        (r#"{ "a": 1 }"#, "a", "{  }"),
        (r#"{ "a": 1, "b": 2 }"#, "a", r#"{ "b": 2 }"#),
        (r#"{ "a": 1 , "b": 2 }"#, "b", r#"{ "a": 1 }"#),
        (
            "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}",
            "b",
            "{\n  \"a\": 1,\n  \"c\": 3\n}",
        ),
        (
            "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}",
            "b",
            "{\n  \"a\": 1\n}",
        ),
    ];
    for (before, name, after) in cases {
        assert_eq!(edited(before, |tree| remove_field(tree, name)), after);
    }
    assert_eq!(
        edited("[1, 2,\n3]", |tree| remove_first_items(tree, 2)),
        "[3]"
    );
    assert_eq!(
        edited("[ 1, 2 ]", |tree| Some(replace(&tree.items()[1], "7"))),
        "[ 1, 7 ]"
    );
}

#[test]
fn a_new_field_stands_as_its_neighbors_do() {
    let cases = [
        (r#"{"a":1}"#, r#"{"a":1, "n": 0}"#),
        (r#"{ "a": 1 }"#, r#"{ "a": 1, "n": 0 }"#),
        ("{\n  \"a\": 1\n}", "{\n  \"a\": 1,\n  \"n\": 0\n}"),
        (
            r#"{ "z": 2, "a": 1, "b": 3 }"#,
            r#"{ "z": 2, "a": 1, "n": 0, "b": 3 }"#,
        ),
        (
            "{ \"z\": 2,\n\t\"a\": 1 }",
            "{ \"z\": 2,\n\t\"a\": 1,\n\t\"n\": 0 }",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(
            edited(before, |tree| insert_after(before, tree, "a", "\"n\": 0")),
            after
        );
    }
}
