//! Draws of counts and of users.

use fastrand::Rng;

/// A Poisson distribution that draws fast while its mean stays the same.
#[derive(Clone, Debug, Default)]
pub struct Poisson {
    mean: f64,
    /// The probability of at most so many.
    sums: Vec<f64>,
}

/// Things that are drawn in proportion to their weights.
#[derive(Clone, Debug, Default)]
pub struct Weighted {
    sums: Vec<f64>,
}

// === impl Poisson ===

impl Poisson {
    /// A count with this mean, by inversion: good for means up to some hundreds.
    pub fn draw(&mut self, mean: f64, rng: &mut Rng) -> u32 {
        if mean != self.mean || self.sums.is_empty() {
            self.mean = mean;
            self.tabulate();
        }
        let at = rng.f64();
        // Most draws are below the mean's double: a search from the begin is as fast as any.
        let count = self.sums.iter().position(|&sum| at < sum);
        count.unwrap_or(self.sums.len()) as u32
    }

    fn tabulate(&mut self) {
        self.sums.clear();
        let mut probability = (-self.mean).exp();
        let mut sum = probability;
        let mut count = 0.0;
        while sum < 1.0 - 1e-15 && probability > 0.0 {
            self.sums.push(sum);
            count += 1.0;
            probability *= self.mean / count;
            sum += probability;
            if count > self.mean && probability < 1e-17 {
                break;
            }
        }
    }
}

// === impl Weighted ===

impl Weighted {
    pub fn new(weights: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let add = |weight| {
            sum += weight;
            sum
        };
        Self {
            sums: weights.map(add).collect(),
        }
    }

    pub fn total(&self) -> f64 {
        self.sums.last().copied().unwrap_or(0.0)
    }

    /// The index of one of them.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let at = rng.f64() * self.total();
        let index = self.sums.partition_point(|&sum| sum <= at);
        index.min(self.sums.len().saturating_sub(1))
    }
}
