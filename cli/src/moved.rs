//! Who moves when a rollout's weights or salt change.

use bluegreen::{Bucket, Color, Rollout, Weights};
use std::collections::HashMap;

/// How many users move, in each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// From blue to green.
    pub to_green: u64,
    /// From green to blue.
    pub to_blue: u64,
    /// Of how many these are counts.
    pub of: u64,
    /// Whether each user's bucket is drawn anew.
    pub is_drawn_anew: bool,
}

/// What was counted before: many rollouts move by the same weights.
#[derive(Debug, Default)]
pub struct Counted(HashMap<(u32, u32, bool), Moved>);

// === impl Counted ===

impl Counted {
    /// As [`Moved::count`].
    pub fn moved(
        &mut self,
        old: &Rollout,
        new: &Rollout,
        before: Weights,
        after: Weights,
    ) -> Moved {
        let green = |weights: Weights| weights.of(Color::Green).millipercent();
        let key = (green(before), green(after), old.salt == new.salt);
        let count = || Moved::count(old, new, before, after);
        *self.0.entry(key).or_insert_with(count)
    }
}

// === impl Moved ===

impl Moved {
    /// Counts over all buckets. Users are spread over them evenly; with another salt the new bucket of a user has
    /// nothing to do with the old one, and all pairs of buckets are counted.
    pub fn count(old: &Rollout, new: &Rollout, before: Weights, after: Weights) -> Self {
        if old.salt == new.salt {
            Self::same_buckets(before, after)
        } else {
            Self::new_buckets(before, after)
        }
    }

    /// Where each user keeps the bucket.
    pub fn same_buckets(before: Weights, after: Weights) -> Self {
        let mut moved = Self {
            of: Bucket::COUNT.into(),
            ..Self::default()
        };
        if before == after {
            return moved;
        }
        let (mut to_green, mut to_blue) = (0_u32, 0_u32);
        for bucket in Bucket::all() {
            let was_green = bucket.color(before) == Color::Green;
            let is_green = bucket.color(after) == Color::Green;
            to_green += u32::from(!was_green & is_green);
            to_blue += u32::from(was_green & !is_green);
        }
        (moved.to_green, moved.to_blue) = (to_green.into(), to_blue.into());
        moved
    }

    fn new_buckets(before: Weights, after: Weights) -> Self {
        let buckets = |weights, color| {
            let served = Bucket::all().filter(|bucket| bucket.color(weights) == color);
            served.count() as u64
        };
        let pairs = |from, to| buckets(before, from) * buckets(after, to);
        let all = u64::from(Bucket::COUNT);
        Self {
            to_green: pairs(Color::Blue, Color::Green),
            to_blue: pairs(Color::Green, Color::Blue),
            of: all * all,
            is_drawn_anew: true,
        }
    }

    /// Whether nobody moves.
    pub const fn is_nobody(&self) -> bool {
        self.to_green == 0 && self.to_blue == 0
    }

    /// Percent that move from blue to green, and from green to blue.
    pub fn percent(&self) -> [f64; 2] {
        [self.to_green, self.to_blue].map(|count| {
            let thousandths = (count as f64 / self.of as f64 * 100_000.0).round();
            thousandths / 1_000.0
        })
    }

    /// In a few words.
    pub fn text(&self) -> String {
        let [to_green, to_blue] = self.percent();
        let directions = [
            (self.to_green, to_green, "blue to green"),
            (self.to_blue, to_blue, "green to blue"),
        ];
        let some = directions.iter().filter(|(count, ..)| *count > 0);
        let parts: Vec<String> = some
            .map(|(_, percent, direction)| format!("{percent} % of users move from {direction}"))
            .collect();
        let anew = if self.is_drawn_anew {
            " (another salt: all are drawn anew)"
        } else {
            ""
        };
        if parts.is_empty() {
            return format!("no user moves{anew}");
        }
        format!("{}{anew}", parts.join(" and "))
    }
}
