//! How long responses take, in buckets that are an eighth of a power of two wide.

use std::collections::VecDeque;

/// Counts of durations by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencyCounts(Vec<u64>);

/// Counts of the last minute or so.
#[derive(Clone, Debug, Default)]
pub struct RecentLatency {
    blocks: VecDeque<(u64, LatencyCounts)>,
}

/// A unit of 65.536 µs, so that a bucket of few units is still a short time.
const UNIT_BITS: u32 = 16;
/// Eight buckets for each power of two.
const PARTS_BITS: u32 = 3;
const MAX_BUCKET: usize = 320;

// === impl LatencyCounts ===

impl LatencyCounts {
    /// Counts a duration.
    pub fn add(&mut self, ns: u64) {
        self.add_count(bucket(ns), 1);
    }

    /// Counts so many durations of a bucket. What is no bucket is left out.
    pub fn add_count(&mut self, bucket: usize, count: u64) {
        if bucket > MAX_BUCKET {
            return;
        }
        if self.0.len() <= bucket {
            self.0.resize(bucket.saturating_add(1), 0);
        }
        if let Some(counted) = self.0.get_mut(bucket) {
            *counted = counted.saturating_add(count);
        }
    }

    /// The buckets that have some, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        let all = self.0.iter().copied().enumerate();
        all.filter(|&(_, count)| count > 0)
    }

    /// What has come since `before` was counted.
    pub fn since(&self, before: &Self) -> Self {
        let mut new = Self::default();
        for (bucket, count) in self.iter() {
            let before = before.0.get(bucket).copied().unwrap_or(0);
            new.add_count(bucket, count.saturating_sub(before));
        }
        new
    }

    fn total(&self) -> u64 {
        self.0.iter().copied().fold(0, u64::saturating_add)
    }
}

// === impl RecentLatency ===

impl RecentLatency {
    const BLOCK_MS: u64 = 15_000;
    const BLOCKS: usize = 5;
    /// With fewer durations there is no percentile.
    const MIN_COUNT: u64 = 100;

    /// Adds durations that were learned of at a time.
    pub fn add(&mut self, now_ms: u64, new: &LatencyCounts) {
        let is_current =
            |&(begin_ms, _): &(u64, _)| now_ms.saturating_sub(begin_ms) < Self::BLOCK_MS;
        if !self.blocks.back().is_some_and(is_current) {
            self.blocks.push_back((now_ms, LatencyCounts::default()));
        }
        if self.blocks.len() > Self::BLOCKS {
            self.blocks.pop_front();
        }
        if let Some((_, counts)) = self.blocks.back_mut() {
            for (bucket, count) in new.iter() {
                counts.add_count(bucket, count);
            }
        }
    }

    /// The end of the bucket that the 95th percentile is in, in nanoseconds.
    pub fn p95_ns(&self) -> Option<u64> {
        let mut all = LatencyCounts::default();
        for (bucket, count) in self.blocks.iter().flat_map(|(_, counts)| counts.iter()) {
            all.add_count(bucket, count);
        }
        let total = all.total();
        if total < Self::MIN_COUNT {
            return None;
        }
        let above = total / 20;
        let mut left = total;
        for (bucket, count) in all.iter() {
            left = left.saturating_sub(count);
            if left <= above {
                return Some(end_ns(bucket));
            }
        }
        None
    }
}

fn bucket(ns: u64) -> usize {
    let units = ns >> UNIT_BITS;
    let exponent = u64::BITS.saturating_sub(units.leading_zeros());
    // Below eight units each has a bucket of its own.
    let shift = exponent.saturating_sub(PARTS_BITS.saturating_add(1));
    let part = units >> shift;
    let bucket = u64::from(shift)
        .saturating_mul(1 << PARTS_BITS)
        .saturating_add(part);
    usize::try_from(bucket)
        .unwrap_or(MAX_BUCKET)
        .min(MAX_BUCKET)
}

fn end_ns(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(0);
    let parts = 1_u64 << PARTS_BITS;
    let shift = (bucket / parts).saturating_sub(1);
    let part = bucket.saturating_sub(shift.saturating_mul(parts));
    let shift = u32::try_from(shift).unwrap_or(u32::MAX);
    let units = part
        .saturating_add(1)
        .checked_shl(shift)
        .unwrap_or(u64::MAX);
    units.saturating_mul(1 << UNIT_BITS)
}
