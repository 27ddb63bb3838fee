//! etcd, as far as the exchange of a fleet needs it: transactions over keys with revisions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A store, by its JSON gateway.
#[derive(Debug, Default)]
pub struct Etcd {
    keys: BTreeMap<String, (Vec<u8>, u64)>,
    revision: u64,
    /// How many transactions it was asked for.
    pub transactions: u32,
}

impl Etcd {
    /// The answer to a transaction.
    pub fn txn(&mut self, body: &[u8]) -> Vec<u8> {
        self.transactions += 1;
        let request = serde_json::from_slice(body).unwrap();
        // All writes of a transaction have one revision.
        let next = self.revision + 1;
        let mut has_written = false;
        let mut response = self.run(&request, next, &mut has_written);
        self.revision += u64::from(has_written);
        response["header"] = json!({ "revision": (self.revision.max(1)).to_string() });
        response.to_string().into_bytes()
    }

    /// Writes a key, as an operator or another tool may.
    pub fn put(&mut self, key: &str, value: &[u8]) {
        self.revision += 1;
        self.keys
            .insert(key.to_owned(), (value.to_vec(), self.revision));
    }

    /// What a key holds.
    pub fn get(&self, key: &str) -> Option<Value> {
        let (value, _) = self.keys.get(key)?;
        Some(serde_json::from_slice(value).unwrap())
    }

    /// The keys of which the name contains this.
    pub fn keys_with(&self, part: &str) -> Vec<String> {
        let keys = self.keys.keys().filter(|key| key.contains(part));
        keys.cloned().collect()
    }

    /// Loses all that it had.
    pub fn empty(&mut self) {
        *self = Self::default();
    }

    fn run(&mut self, txn: &Value, next: u64, has_written: &mut bool) -> Value {
        let compares = list(txn, "compare");
        let succeeded = compares.iter().all(|compare| {
            let (target, result) = (&compare["target"], &compare["result"]);
            assert_eq!((target, result), (&json!("MOD"), &json!("EQUAL")));
            let revision = self.keys.get(&text(&compare["key"])).map_or(0, |it| it.1);
            revision == number(&compare["mod_revision"])
        });
        let ops = list(txn, if succeeded { "success" } else { "failure" });
        assert!(ops.len() + compares.len() <= 128);
        let responses = ops.iter().map(|op| self.operate(op, next, has_written));
        let responses: Vec<_> = responses.collect();
        // Zero and false are left out.
        if succeeded {
            json!({ "succeeded": true, "responses": responses })
        } else {
            json!({ "responses": responses })
        }
    }

    fn operate(&mut self, op: &Value, next: u64, has_written: &mut bool) -> Value {
        if let Some(txn) = op.get("request_txn") {
            return json!({ "response_txn": self.run(txn, next, has_written) });
        }
        if let Some(put) = op.get("request_put") {
            *has_written = true;
            let value = STANDARD.decode(put["value"].as_str().unwrap()).unwrap();
            let before = self.keys.insert(text(&put["key"]), (value, next));
            assert!(before.is_none_or(|(_, revision)| revision < next), "twice");
            return json!({ "response_put": {} });
        }
        if let Some(delete) = op.get("request_delete_range") {
            *has_written = true;
            self.keys.remove(&text(&delete["key"]));
            return json!({ "response_delete_range": { "deleted": "1" } });
        }
        let range = &op["request_range"];
        let begin = text(&range["key"]);
        let end = match range.get("range_end") {
            Some(end) => text(end),
            None => format!("{begin}\0"),
        };
        let found: Vec<_> = self.keys.range(begin..end).collect();
        let min = range.get("min_mod_revision").map_or(0, number);
        let changed = found.iter().filter(|(_, (_, revision))| *revision >= min);
        let kvs = changed.map(|(key, (value, revision))| {
            json!({
                "key": STANDARD.encode(key),
                "value": STANDARD.encode(value),
                "mod_revision": revision.to_string(),
            })
        });
        let kvs: Vec<_> = kvs.collect();
        match found.len() {
            0 => json!({ "response_range": { "header": {} } }),
            count => json!({ "response_range": { "kvs": kvs, "count": count.to_string() } }),
        }
    }
}

fn list<'v>(object: &'v Value, name: &str) -> &'v [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(base64: &Value) -> String {
    let bytes = STANDARD.decode(base64.as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn number(text: &Value) -> u64 {
    text.as_str().unwrap().parse().unwrap()
}
