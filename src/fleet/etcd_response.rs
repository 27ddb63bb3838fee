//! What etcd answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// The answer to a transaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'd"))]
pub struct TxnResponse<'d> {
    header: Header,
    /// Whether all comparisons held.
    pub succeeded: bool,
    /// The answer to each operation.
    pub responses: Vec<OpResponse<'d>>,
}

/// The answer to one operation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'd"))]
pub struct OpResponse<'d> {
    /// Of a read.
    #[serde(alias = "responseRange")]
    pub response_range: Option<RangeResponse<'d>>,
    /// Of a transaction within the transaction.
    #[serde(alias = "responseTxn")]
    pub response_txn: Option<TxnResponse<'d>>,
}

/// What was read.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'd"))]
pub struct RangeResponse<'d> {
    /// The keys and their values.
    pub kvs: Vec<KeyValue<'d>>,
    /// How many keys there are, also those that were not changed.
    #[serde(deserialize_with = "number")]
    pub count: u64,
}

/// A key and its value.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct KeyValue<'d> {
    #[serde(borrow)]
    key: Cow<'d, str>,
    #[serde(borrow)]
    value: Cow<'d, str>,
    /// When it was changed last.
    #[serde(alias = "modRevision", deserialize_with = "number")]
    pub mod_revision: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Header {
    #[serde(deserialize_with = "number")]
    revision: u64,
}

// === impl TxnResponse ===

impl TxnResponse<'_> {
    /// The store's revision; 0 where this is no answer to a transaction.
    pub fn revision(&self) -> u64 {
        self.header.revision
    }
}

// === impl OpResponse ===

impl<'d> OpResponse<'d> {
    /// What was read, where it was a read.
    pub fn into_range(self) -> RangeResponse<'d> {
        self.response_range.unwrap_or_default()
    }

    /// Of a transaction that read where it did not write: nothing where it wrote.
    pub fn into_conflict(self) -> Option<RangeResponse<'d>> {
        let txn = self.response_txn.filter(|txn| !txn.succeeded)?;
        let read = txn.responses.into_iter().next();
        Some(read.map(OpResponse::into_range).unwrap_or_default())
    }
}

// === impl KeyValue ===

impl KeyValue<'_> {
    /// The key.
    pub fn key(&self) -> Option<String> {
        String::from_utf8(STANDARD.decode(self.key.as_bytes()).ok()?).ok()
    }

    /// The key as it was sent.
    pub fn raw_key(&self) -> &str {
        &self.key
    }

    /// The value, where it is not larger than this.
    pub fn value(&self, max_bytes: usize) -> Option<Vec<u8>> {
        let is_small = self.value.len() / 4 <= max_bytes / 3;
        is_small.then(|| STANDARD.decode(self.value.as_bytes()).ok())?
    }
}

/// Protobuf has 64-bit integers as strings in JSON.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text: Cow<'de, str> = Cow::deserialize(deserializer)?;
    Ok(text.parse().unwrap_or(0))
}
