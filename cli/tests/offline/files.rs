//! A file is replaced as a whole or not at all.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use bluegreen_cli::file::replacement::Replacement;

use crate::support::{Place, demo};

fn files(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.dir()).expect("the directory");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name")
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_file_that_somebody_else_changed_meanwhile_is_left_alone() {
    let place = Place::new("mine");
    let replacement = Replacement::prepare(&place.file(), "mine", "new").expect("a new version");
    fs::write(place.file(), "theirs").expect("a file");
    let failure = replacement.commit().expect_err("a refusal");
    assert!(
        failure
            .message
            .contains("changed by someone else meanwhile, nothing is written"),
        "{failure}"
    );
    assert_eq!(place.text(), "theirs");
    assert_eq!(files(&place), ["bluegreen.yaml"]);
}

#[test]
fn the_version_before_is_kept_and_nothing_else() {
    let place = Place::new("mine");
    Replacement::prepare(&place.file(), "mine", "new")
        .expect("a new version")
        .commit()
        .expect("a rename");
    assert_eq!(place.text(), "new");
    assert_eq!(files(&place), ["bluegreen.yaml", "bluegreen.yaml.undo"]);
    assert_eq!(
        fs::read_to_string(place.dir().join("bluegreen.yaml.undo")).expect("the file"),
        "mine"
    );
}

#[test]
fn the_mode_stays() {
    let place = Place::new(&demo(&[]));
    fs::set_permissions(place.file(), fs::Permissions::from_mode(0o640)).expect("a mode");
    assert_eq!(
        place
            .run(&["shift", "bluegreen.yaml", "--green", "25"])
            .code,
        0
    );
    for file in ["bluegreen.yaml", "bluegreen.yaml.undo"] {
        let mode = fs::metadata(place.dir().join(file))
            .expect("the file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o640, "{file}");
    }
}

#[test]
fn a_link_stays_a_link() {
    let place = Place::new(&demo(&[]));
    let link = place.dir().join("link.yaml");
    symlink("bluegreen.yaml", &link).expect("a link");
    assert_eq!(place.run(&["shift", "link.yaml", "--green", "25"]).code, 0);
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    assert!(place.text().contains("\"green\": 25"));
    assert_eq!(place.run(&["undo", "link.yaml"]).code, 0);
    assert_eq!(place.text(), demo(&[]));
}

/// Root may write anywhere, so as root the program runs as somebody else.
#[test]
fn a_file_that_may_not_be_written_is_refused() {
    let place = Place::new(&demo(&[]));
    fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let cases = [(0o444, 0o777), (0o666, 0o555)];
    for (file, dir) in cases {
        fs::set_permissions(place.file(), fs::Permissions::from_mode(file)).expect("a mode");
        fs::set_permissions(place.dir(), fs::Permissions::from_mode(dir)).expect("a mode");
        // Where nobody else may go, so that the program itself is in reach.
        let program = place.dir().with_extension("program");
        fs::copy(env!("CARGO_BIN_EXE_bluegreen"), &program).expect("the program");
        let mut command = Command::new(&program);
        command
            .args(["shift", "bluegreen.yaml", "--green", "25"])
            .current_dir(place.dir());
        if fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
        {
            command.uid(65_534).gid(65_534);
        }
        let output = command.output().expect("the program");
        fs::remove_file(&program).expect("the program");
        fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o755)).expect("a mode");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.contains("can't be written: Permission denied"),
            "{error}"
        );
        assert_eq!(place.text(), demo(&[]));
        assert_eq!(files(&place), ["bluegreen.yaml"]);
    }
}

#[test]
fn a_move_that_the_filter_would_reject_is_not_written() {
    let ramp = r#""ramp": { "start": "2026-11-24T11:00:00Z", "steps": [ { "weight": 100 } ] }"#;
    let text = demo(&[ramp]).replace("\"green\": 10 }", "\"green\": 11 }");
    let place = Place::new(&text);
    let run = place.run(&["rollback", "bluegreen.yaml"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("blue 90 + green 11 = 101, must be 100"),
        "{run:?}"
    );
    assert_eq!(place.text(), text);
}

#[test]
fn json_that_is_folded_is_not_edited() {
    let json = demo(&[]).replace('\n', " ");
    let text = crate::support::ecds(&json).replace("value: |\n", "value: >\n");
    let place = Place::new(&text);
    assert_eq!(place.run(&["check", "bluegreen.yaml"]).code, 0);
    let run = place.run(&["shift", "bluegreen.yaml", "--green", "25"]);
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains(
            "can't be edited in place as it is written here: write it as a block, `value: |`"
        ),
        "{run:?}"
    );
    assert_eq!(place.text(), text);
}
