//! Requests to etcd, by its [JSON gateway](https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// A transaction: where all comparisons hold the first operations are done, else the others.
#[derive(Debug, Default, Serialize)]
pub struct Txn {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    compare: Vec<Compare>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    success: Vec<Op>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failure: Vec<Op>,
}

/// One operation.
#[derive(Debug, Serialize)]
pub enum Op {
    /// Reads one key or a range.
    #[serde(rename = "request_range")]
    Read(Range),
    /// Writes a key.
    #[serde(rename = "request_put")]
    Write(Put),
    /// Deletes a key.
    #[serde(rename = "request_delete_range")]
    Delete(Delete),
    /// A transaction within the transaction.
    #[serde(rename = "request_txn")]
    Within(Txn),
}

/// Reads keys.
#[derive(Debug, Serialize)]
pub struct Range {
    key: Base64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range_end: Option<Base64>,
    #[serde(skip_serializing_if = "is_zero", serialize_with = "as_text")]
    min_mod_revision: u64,
}

/// Writes a key.
#[derive(Debug, Serialize)]
pub struct Put {
    key: Base64,
    value: Base64,
}

/// Deletes a key.
#[derive(Debug, Serialize)]
pub struct Delete {
    key: Base64,
}

/// That a key was changed last at a revision; 0 where it is not there.
#[derive(Debug, Serialize)]
struct Compare {
    key: Base64,
    target: &'static str,
    result: &'static str,
    #[serde(serialize_with = "as_text")]
    mod_revision: u64,
}

#[derive(Debug, Serialize)]
struct Base64(String);

// === impl Txn ===

impl Txn {
    /// Does operations in any case.
    pub fn always(success: Vec<Op>) -> Self {
        Self {
            success,
            ..Self::default()
        }
    }

    /// Does the first operations where each of these keys was changed last at its revision, else the others.
    pub fn where_unchanged(keys: &[(&str, u64)], success: Vec<Op>, failure: Vec<Op>) -> Self {
        let compare = keys.iter().map(|&(key, revision)| Compare {
            key: Base64::of(key.as_bytes()),
            target: "MOD",
            result: "EQUAL",
            mod_revision: revision,
        });
        Self {
            compare: compare.collect(),
            success,
            failure,
        }
    }

    /// The JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Writing text to memory does not fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

// === impl Op ===

impl Op {
    /// Reads a key where it was changed at this revision or later.
    pub fn read(key: &str, min_mod_revision: u64) -> Self {
        Self::Read(Range {
            key: Base64::of(key.as_bytes()),
            range_end: None,
            min_mod_revision,
        })
    }

    /// Reads all keys of a prefix, which ends with a slash, that were changed at this revision or later.
    pub fn read_below(prefix: &str, min_mod_revision: u64) -> Self {
        let mut end = prefix.trim_end_matches('/').as_bytes().to_vec();
        end.push(b'0'); // what follows the slash
        Self::Read(Range {
            key: Base64::of(prefix.as_bytes()),
            range_end: Some(Base64::of(&end)),
            min_mod_revision,
        })
    }

    /// Writes a key.
    pub fn put(key: &str, value: &[u8]) -> Self {
        Self::Write(Put {
            key: Base64::of(key.as_bytes()),
            value: Base64::of(value),
        })
    }

    /// Deletes a key.
    pub fn delete(key: &str) -> Self {
        Self::Delete(Delete {
            key: Base64::of(key.as_bytes()),
        })
    }

    /// Writes a key unless it was changed since this revision, and reads it where it was.
    pub fn put_where_unchanged(key: &str, revision: u64, value: &[u8]) -> Self {
        let read = Self::read(key, 0);
        let put = Self::put(key, value);
        Self::Within(Txn::where_unchanged(
            &[(key, revision)],
            vec![put],
            vec![read],
        ))
    }
}

// === impl Base64 ===

impl Base64 {
    fn of(bytes: &[u8]) -> Self {
        Self(STANDARD.encode(bytes))
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// As protobuf has 64-bit integers in JSON.
fn as_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}
