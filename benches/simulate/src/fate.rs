//! What becomes of one release.

use bluegreen::LimitVerdict;

/// The canary's samples when a limit was first found broken, and first kept.
#[derive(Clone, Copy, Default)]
pub struct Fate {
    pub broken_at: Option<u64>,
    pub kept_at: Option<u64>,
}

// === impl Fate ===

impl Fate {
    /// What was found at so many samples.
    pub fn see(&mut self, verdict: LimitVerdict, samples: u64) {
        match verdict {
            LimitVerdict::Undecided => {}
            LimitVerdict::Kept => {
                self.kept_at.get_or_insert(samples);
            }
            LimitVerdict::Broken => {
                self.broken_at.get_or_insert(samples);
            }
        }
    }
}

/// The median and the ninth tenth of the samples that it took.
pub fn median_and_late(fates: &[Fate], at: impl Fn(&Fate) -> Option<u64>) -> [Option<u64>; 2] {
    let mut samples: Vec<Option<u64>> = fates.iter().map(at).collect();
    // Those that are never there come last.
    samples.sort_unstable_by_key(|samples| samples.unwrap_or(u64::MAX));
    [samples.len() / 2, samples.len() * 9 / 10].map(|rank| samples[rank])
}

/// For people.
pub fn shown(samples: Option<u64>) -> String {
    samples.map_or("not seen".to_owned(), |samples| samples.to_string())
}
