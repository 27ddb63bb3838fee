//! `schema`, `completions`, `man`.

use crate::support::{Place, shipped};

#[test]
fn the_schema_is_the_one_that_ships() {
    let run = Place::new("").run(&["schema"]);
    assert_eq!(
        (run.code, run.out),
        (0, shipped("envoy/bluegreen.schema.json"))
    );
}

#[test]
fn shells_can_complete() {
    for (shell, has) in [
        ("bash", "complete -F _bluegreen"),
        ("zsh", "#compdef bluegreen"),
        ("fish", "complete -c bluegreen"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let run = Place::new("").run(&["completions", shell]);
        assert_eq!(run.code, 0, "{shell}");
        assert!(
            run.out.contains(has) && run.out.contains("rollback"),
            "{shell}"
        );
    }
}

#[test]
fn the_man_page_has_every_command() {
    let page = Place::new("").run(&["man"]).out;
    assert!(page.contains(".TH bluegreen 1"), "{page}");
    let help = Place::new("").run(&["--help"]).out;
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .and_then(|it| it.split("\n\n").next())
        .expect("commands");
    for command in commands
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        let section = format!(".SH COMMAND {}\n", command.to_uppercase());
        assert!(command == "help" || page.contains(&section), "{command}");
    }
    assert!(!page.contains("COMMAND RUN"));
}
