//! Ids of feedback that has been taken of late, over all VMs of an Envoy: what comes again is a retry.
//!
//! The ids are in a fixed number of documents, by their hashes, so that what a look-up costs and what they take in memory is
//! bounded: 64 documents of at most 4,096 ids of 12 bytes, 3 MiB for 262,144 ids. Where more come within the time that they
//! are kept for, the oldest are forgotten first.

use crate::policy::report::{FeedbackId, Report};
use crate::policy::shared_keys::SharedKeys;
use crate::policy::shared_store::{HostStatus, SharedStore, create};

/// The documents that ids are kept in.
const DOCUMENTS: u8 = 64;

/// The most ids in one of them.
const IDS_PER_DOCUMENT: usize = 4_096;

/// For so long an id is kept, in seconds.
const KEPT_S: u32 = 600;

/// The hash of an id and the second in which it came, little-endian.
const ENTRY_BYTES: usize = 12;

/// Another VM may change a document in between, each once for one feedback.
const TRIES: usize = 64;

/// Creates what is not there yet. To be done where no others take feedback yet.
///
/// # Errors
/// Where the host refuses a call.
pub fn prepare(store: &impl SharedStore, keys: &SharedKeys) -> Result<(), HostStatus> {
    (0..DOCUMENTS).try_for_each(|document| create(store, &keys.ids_in(document)))
}

/// Leaves out the reports that are retries, and keeps the ids of the others. Where the host refuses a call, what it is
/// about counts as new.
pub fn without_retries(
    store: &impl SharedStore,
    keys: &SharedKeys,
    now_s: u32,
    mut reports: Vec<Report>,
) -> Vec<Report> {
    for document in 0..DOCUMENTS {
        let is_here = |report: &Report| report.id.is_some_and(|id| document_of(id) == document);
        if !reports.iter().any(is_here) {
            continue;
        }
        let ids: Vec<FeedbackId> = reports
            .iter()
            .filter(|it| is_here(it))
            .filter_map(|it| it.id)
            .collect();
        let Ok(are_new) = add(store, &keys.ids_in(document), now_s, &ids) else {
            continue;
        };
        let mut are_new = are_new.into_iter();
        reports.retain(|report| !is_here(report) || are_new.next().unwrap_or(true));
    }
    reports
}

fn document_of(id: FeedbackId) -> u8 {
    let [.., last] = id.0.to_le_bytes();
    last % DOCUMENTS
}

/// Keeps ids, and says of each whether it is new.
fn add(
    store: &impl SharedStore,
    key: &str,
    now_s: u32,
    ids: &[FeedbackId],
) -> Result<Vec<bool>, HostStatus> {
    for _ in 0..TRIES {
        let Some((mut known, change)) = store.get(key)? else {
            create(store, key)?;
            continue;
        };
        forget(&mut known, now_s, ids.len());
        let are_new: Vec<bool> = ids
            .iter()
            .map(|id| add_one(&mut known, now_s, *id))
            .collect();
        if !are_new.contains(&true) || store.set(key, &known, change)? {
            return Ok(are_new);
        }
    }
    Err(HostStatus::CAS_MISMATCH)
}

/// Makes room for so many, and drops those that are too old. They are in the order in which they came.
fn forget(known: &mut Vec<u8>, now_s: u32, coming: usize) {
    let whole = known.len() / ENTRY_BYTES;
    known.truncate(whole.saturating_mul(ENTRY_BYTES));
    let too_many = whole
        .saturating_add(coming)
        .saturating_sub(IDS_PER_DOCUMENT);
    let is_old = |entry: &[u8; ENTRY_BYTES]| {
        let [.., a, b, c, d] = *entry;
        now_s.saturating_sub(u32::from_le_bytes([a, b, c, d])) >= KEPT_S
    };
    let (entries, _) = known.as_chunks();
    let old = entries.iter().take_while(|entry| is_old(entry)).count();
    let dropped = old.max(too_many).min(whole).saturating_mul(ENTRY_BYTES);
    known.drain(..dropped);
}

/// Keeps an id, and says whether it is new.
fn add_one(known: &mut Vec<u8>, now_s: u32, id: FeedbackId) -> bool {
    let hash = id.0.to_le_bytes();
    let (entries, _) = known.as_chunks::<ENTRY_BYTES>();
    let is_known = entries.iter().any(|entry| entry.starts_with(&hash));
    if !is_known {
        known.extend(hash);
        known.extend(now_s.to_le_bytes());
    }
    !is_known
}
