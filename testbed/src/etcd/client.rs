//! etcd's HTTP/JSON gateway, as a test speaks it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::client::Client;
use crate::request::{Request, post};

/// One member's view of what is stored.
#[derive(Clone, Debug)]
pub struct EtcdClient {
    http: Client,
    user: Option<(String, String)>,
}

// === impl EtcdClient ===

impl EtcdClient {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self {
            http: Client::http1(addr),
            user: None,
        }
    }

    /// As this user.
    pub fn as_user(mut self, name: &str, password: &str) -> Self {
        self.user = Some((name.to_owned(), password.to_owned()));
        self
    }

    pub async fn put(&self, key: &str, value: impl AsRef<[u8]>) {
        let (status, answer) = self.try_put(key, value).await;
        assert_eq!(status, 200, "put {key}: {answer}");
    }

    /// As [`EtcdClient::try_call`].
    pub async fn try_put(&self, key: &str, value: impl AsRef<[u8]>) -> (u16, Value) {
        let body = json!({ "key": BASE64.encode(key), "value": BASE64.encode(value) });
        self.try_call("/v3/kv/put", &body).await
    }

    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let body = json!({ "key": BASE64.encode(key) });
        let answer = self.call("/v3/kv/range", body).await;
        let found = answer["kvs"].as_array()?.first()?;
        Some(bytes(&found["value"]))
    }

    /// All that is stored under keys that begin so.
    pub async fn range(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let answer = self.call("/v3/kv/range", prefixed(prefix)).await;
        let stored = answer["kvs"].as_array().cloned().unwrap_or_default();
        let entry = |kv: &Value| {
            let key = String::from_utf8(bytes(&kv["key"])).expect("a key of UTF-8");
            (key, bytes(&kv["value"]))
        };
        stored.iter().map(entry).collect()
    }

    /// Deletes all keys that begin so.
    pub async fn delete(&self, prefix: &str) {
        self.call("/v3/kv/deleterange", prefixed(prefix)).await;
    }

    /// Forgets all earlier versions of what is stored.
    pub async fn compact(&self) {
        let revision = self.call("/v3/kv/range", json!({ "key": "AA==" })).await;
        let revision = &revision["header"]["revision"];
        let body = json!({ "revision": revision, "physical": true });
        self.call("/v3/kv/compaction", body).await;
    }

    /// All keys that begin so, as the gateway takes a range.
    pub(crate) fn range_of(prefix: &str) -> (String, String) {
        (BASE64.encode(prefix), BASE64.encode(end_of(prefix)))
    }

    /// Calls a path of the gateway, and fails the test where etcd refuses.
    pub async fn call(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_call(path, &body).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// Calls a path of the gateway: the status, 0 where no answer came, and the answer.
    pub async fn try_call(&self, path: &str, body: &Value) -> (u16, Value) {
        let mut request = post(path, body.to_string());
        if let Some((name, password)) = &self.user {
            let body = json!({ "name": name, "password": password });
            let log_in = post("/v3/auth/authenticate", body.to_string());
            let (status, answer) = self.send(log_in).await;
            let Some(token) = answer["token"].as_str() else {
                return (status, answer);
            };
            request = request.header("authorization", token);
        }
        self.send(request).await
    }

    async fn send(&self, request: Request) -> (u16, Value) {
        match self.http.try_send(request).await {
            Ok(response) => (
                response.status,
                serde_json::from_slice(&response.body).unwrap_or_default(),
            ),
            Err(error) => (0, format!("{error:?}").into()),
        }
    }
}

fn prefixed(prefix: &str) -> Value {
    let (key, range_end) = EtcdClient::range_of(prefix);
    json!({ "key": key, "range_end": range_end })
}

/// The first key behind all that begin so.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    *end.last_mut().expect("a prefix") += 1;
    end
}

fn bytes(base64: &Value) -> Vec<u8> {
    let text = base64.as_str().unwrap_or_default();
    BASE64.decode(text).expect("base64")
}
