//! Where two environments differ.

use crate::drift::aliases::Aliases;
use crate::drift::settings::{Place, Settings};
use crate::show::Shown;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One environment.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its settings.
    pub settings: &'a Settings,
    /// Its names and addresses.
    pub aliases: &'a Aliases,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where it stands.
    pub place: Place,
    /// What blue has.
    pub blue: Option<Value>,
    /// What green has.
    pub green: Option<Value>,
}

/// All that differs, and how many settings were compared. What matches one of `ignored` is not.
pub fn compare(blue: Side<'_>, green: Side<'_>, ignored: &[String]) -> (Vec<Difference>, usize) {
    let all = blue.settings.iter().chain(green.settings.iter());
    let all: BTreeSet<&Place> = all.map(|(place, _)| place).collect();
    let is_ignored = |place: &&Place| ignored.iter().any(|pattern| place.matches(pattern));
    let compared: Vec<&Place> = all.into_iter().filter(|it| !is_ignored(it)).collect();
    let differences = compared.iter().filter_map(|&place| {
        let sides = [blue, green].map(|side| side.settings.get(place));
        let same = |side: Side<'_>| side.settings.get(place).map(|it| side.aliases.applied(it));
        let [of_blue, of_green] = sides;
        (of_blue != of_green && same(blue) != same(green)).then(|| Difference {
            place: place.clone(),
            blue: of_blue.cloned(),
            green: of_green.cloned(),
        })
    });
    (differences.collect(), compared.len())
}

// === impl Difference ===

impl Difference {
    /// Both values as a table has them; `-` for what is not there.
    pub fn cells(&self) -> [String; 2] {
        [&self.blue, &self.green].map(|value| match value {
            None => "-".to_owned(),
            Some(_) if self.is_secret() => "(hidden)".to_owned(),
            Some(Value::String(text)) => Shown::path(text).to_string(),
            Some(value) => Shown::json(value).to_string(),
        })
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let [blue, green] = [&self.blue, &self.green].map(|value| match value {
            Some(_) if self.is_secret() => json!("(hidden)"),
            value => json!(value),
        });
        let Place { group, path } = &self.place;
        json!({ "group": group.as_str(), "path": path, "blue": blue, "green": green })
    }

    /// Whether this may be what nobody else should read.
    fn is_secret(&self) -> bool {
        const NAMES: [&str; 7] = [
            "password",
            "passwd",
            "secret",
            "token",
            "credential",
            "private",
            "key",
        ];
        let path = self.place.path.to_ascii_lowercase();
        let is_named = NAMES.iter().any(|name| path.contains(name));
        let mut values = [&self.blue, &self.green]
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        // `user:password@host` in an address.
        values.any(|it| is_named || it.contains("://") && it.contains('@'))
    }
}

// === impl Place ===

impl Place {
    /// By its whole path, by the path of something that it is part of, or by its group; `*` is any text.
    pub fn matches(&self, pattern: &str) -> bool {
        let Self { group, path } = self;
        let full = format!("{}.{path}", group.as_str());
        let mut ends = path.match_indices(['.', '[']).map(|(end, _)| end);
        let is_part = ends.any(|end| path.get(..end).is_some_and(|of| is_like(of, pattern)));
        is_part || is_like(path, pattern) || is_like(&full, pattern) || group.as_str() == pattern
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let Some(text) = text.strip_prefix(begin) else {
        return false;
    };
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.any(|end| text.get(end..).is_some_and(|text| is_like(text, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::settings::Group;

    fn place(path: &str) -> Place {
        Place {
            group: Group::Env,
            path: path.to_owned(),
        }
    }

    #[test]
    fn a_pattern_names_a_place_or_what_it_is_part_of() {
        let place = place("model.files[0].name");
        for pattern in [
            "model.files[0].name",
            "model",
            "model.files",
            "*.name",
            "model*",
            "env",
            "env.model*",
        ] {
            assert!(place.matches(pattern), "{pattern}");
        }
        for pattern in ["mod", "model.file", "name", "other", "*.names", ""] {
            assert!(!place.matches(pattern), "{pattern}");
        }
    }

    #[test]
    fn what_may_be_secret_is_hidden() {
        let of = |path: &str, value: Value| Difference {
            place: place(path),
            blue: Some(value),
            green: None,
        };
        assert_eq!(of("DB_PASSWORD", json!("x")).cells(), ["(hidden)", "-"]);
        assert_eq!(
            of("DB", json!("postgres://u:p@db/")).cells(),
            ["(hidden)", "-"]
        );
        assert_eq!(of("max_tokens", json!(4_096)).cells(), ["4096", "-"]);
        assert_eq!(of("api_key", json!("x")).json()["blue"], "(hidden)");
    }
}
