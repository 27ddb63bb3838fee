//! What must differ between two environments: their names and addresses.

use serde_json::Value;

/// The names and addresses of one environment.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    /// Each with what stands for it in both environments; longer ones first.
    texts: Vec<(String, &'static str)>,
}

// === impl Aliases ===

impl Aliases {
    /// Adds a name or an address; an empty one stands nowhere.
    pub fn add(&mut self, text: impl Into<String>, stands_for: &'static str) {
        let text = text.into();
        if !text.is_empty() {
            self.texts.push((text, stands_for));
            self.texts
                .sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
    }

    /// A value in which what must differ does not.
    pub fn applied(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.replaced(text)),
            Value::Number(number) => {
                let number = number.to_string();
                let own = self.texts.iter().find(|(text, _)| *text == number);
                own.map_or_else(
                    || value.clone(),
                    |(_, name)| Value::String((*name).to_owned()),
                )
            }
            other => other.clone(),
        }
    }

    fn replaced(&self, text: &str) -> String {
        let texts = self.texts.iter();
        texts.fold(text.to_owned(), |text, (own, name)| {
            replace_words(&text, own, name)
        })
    }
}

/// Replaces a text where it is not part of a longer word.
fn replace_words(text: &str, own: &str, name: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(own) {
        let joins = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        let last = before.chars().next_back().or(replaced.chars().next_back());
        let is_part = joins(last) || joins(after.chars().next());
        replaced.push_str(before);
        replaced.push_str(if is_part { own } else { name });
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_replaced_as_whole_words() {
        let mut aliases = Aliases::default();
        aliases.add("blue", "{cluster}");
        aliases.add("10001", "{port}");
        aliases.add("127.0.0.1:10001", "{address}");
        for (value, expected) in [
            (json!("blue"), json!("{cluster}")),
            (json!("api-blue.example"), json!("api-{cluster}.example")),
            (
                json!("bluebird blue blueblue"),
                json!("bluebird {cluster} blueblue"),
            ),
            (json!("http://127.0.0.1:10001/"), json!("http://{address}/")),
            (json!(10_001), json!("{port}")),
            (json!(100_010), json!(100_010)),
            (json!(true), json!(true)),
        ] {
            assert_eq!(aliases.applied(&value), expected);
        }
    }
}
