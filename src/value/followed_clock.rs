//! A clock that never steps, read by way of one that may and costs less to read.

/// Where a wall clock stood when a steady clock was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowedClock {
    wall_ns: u64,
    steady_ns: u64,
}

// === impl FollowedClock ===

impl FollowedClock {
    /// A wall clock that is further ahead may have stepped.
    pub const MAX_AHEAD_NS: u64 = 1_000_000_000;

    /// Both clocks at one time.
    pub const fn new(wall_ns: u64, steady_ns: u64) -> Self {
        Self { wall_ns, steady_ns }
    }

    /// The steady time at a time of the wall clock; nothing where that may have stepped since, or both have not been
    /// read for a second. A smaller step is found when both are read again.
    pub fn steady_ns(self, wall_ns: u64) -> Option<u64> {
        let ahead_ns = wall_ns.wrapping_sub(self.wall_ns);
        (ahead_ns <= Self::MAX_AHEAD_NS).then(|| self.steady_ns.wrapping_add(ahead_ns))
    }
}
