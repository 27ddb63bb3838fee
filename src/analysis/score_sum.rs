//! Sums of scores. They are whole numbers, so that adding them in any order, over workers and over proxies, gives the
//! same to the last digit.

use crate::value::decimal::{Micro, parse_decimal, to_f64};
use serde::{Deserialize, Serialize};

/// How many scores there are, their sum and the sum of their squares. A score counts rounded to a millionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u64; 5]", into = "[u64; 5]")]
pub struct ScoreSum {
    count: u64,
    /// In millionths.
    sum: u128,
    /// In millionths of millionths.
    squares: u128,
}

/// The sums of several scores, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreSums(Vec<(String, ScoreSum)>);

// === impl ScoreSum ===

impl ScoreSum {
    /// The most scores in one sum that is reported.
    pub const MAX_COUNT: u64 = 1_000_000_000;
    /// The relative error of a sum of millions of numbers of 53 bits that are added one by one.
    pub const ERROR: f64 = 1e-9;

    /// One score.
    pub fn of(score: Micro) -> Self {
        let sum = u128::from(score.millionths());
        Self {
            count: 1,
            sum,
            // It is 10^30 at most.
            squares: sum.wrapping_mul(sum),
        }
    }

    /// So many scores, whose sum and sum of squares are these JSON numbers. None where no scores have these.
    pub fn of_many(count: u64, sum: &str, squares: &str) -> Option<Self> {
        let sum = parse_decimal(sum, 6)?;
        let squares = parse_decimal(squares, 12)?;
        let made = Self {
            count,
            sum,
            squares,
        };
        (count <= Self::MAX_COUNT && made.can_be()).then_some(made)
    }

    /// Whether so many scores can have these sums, as exact as a sender's floating point is.
    fn can_be(&self) -> bool {
        let (count, sum, squares) = (
            to_f64(self.count.into()),
            to_f64(self.sum),
            to_f64(self.squares),
        );
        let most = to_f64(Micro::MAX.millionths().into());
        let error = Self::ERROR * squares + sum / count.max(1.0) + 1.0;
        self.sum <= u128::from(self.count).saturating_mul(Micro::MAX.millionths().into())
            && squares <= sum * most + error
            && sum * sum <= count * (squares + error)
    }

    /// How many there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether all are 0 or 1.
    pub fn is_binary(&self) -> bool {
        // Score and square are the same of 0 and 1, and of no other score.
        self.sum.is_multiple_of(1_000_000)
            && self.sum.saturating_mul(1_000_000) == self.squares
            && self.sum / 1_000_000 <= u128::from(self.count)
    }

    /// How many are 1, where all are 0 or 1.
    pub fn ones(&self) -> u64 {
        let ones = u64::try_from(self.sum / 1_000_000);
        ones.unwrap_or(self.count).min(self.count)
    }

    /// The mean in millionths, to the nearest. None without scores.
    pub fn mean_micro(&self) -> Option<u64> {
        let count = u128::from(self.count);
        let mean = self.sum.saturating_add(count / 2).checked_div(count)?;
        u64::try_from(mean).ok()
    }

    /// The mean. None without scores.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| to_f64(self.sum) / to_f64(self.count.into()) / 1e6)
    }

    /// The sum of the squared distances to the mean. Scores that hardly differ leave little of two large numbers, so this
    /// is made of whole ones.
    pub fn squared_distances(&self) -> f64 {
        let count = u128::from(self.count);
        let whole = self.sum.checked_div(count).unwrap_or_default();
        let rest = self.sum.checked_rem(count).unwrap_or_default();
        // Around the whole part of the mean: Σ(x − w)² = Σx² − w·(Σx + r), where Σx = n·w + r.
        let around_whole = whole.saturating_mul(self.sum.saturating_add(rest));
        let around_whole = to_f64(self.squares.saturating_sub(around_whole));
        let rest = to_f64(rest);
        let around_mean = around_whole - rest * rest / to_f64(count).max(1.0);
        around_mean.max(0.0) / 1e12
    }

    /// Adds others. Beyond 3·10^26 a sum of squares grows no more.
    pub fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// What has come since `begin` was counted.
    fn since(&self, begin: &Self) -> Self {
        Self {
            count: self.count.saturating_sub(begin.count),
            sum: self.sum.saturating_sub(begin.sum),
            squares: self.squares.saturating_sub(begin.squares),
        }
    }
}

impl From<ScoreSum> for [u64; 5] {
    /// Numbers of 128 bits in two halves, the higher first: not every reader of JSON takes them whole.
    fn from(sum: ScoreSum) -> Self {
        let halves = |number: u128| {
            [number >> 64, number & u128::from(u64::MAX)]
                .map(|half| u64::try_from(half).unwrap_or_default())
        };
        let ([sum_high, sum_low], [squares_high, squares_low]) =
            (halves(sum.sum), halves(sum.squares));
        [sum.count, sum_high, sum_low, squares_high, squares_low]
    }
}

impl From<[u64; 5]> for ScoreSum {
    fn from([count, sum_high, sum_low, squares_high, squares_low]: [u64; 5]) -> Self {
        let whole = |high: u64, low: u64| (u128::from(high) << 64) | u128::from(low);
        Self {
            count,
            sum: whole(sum_high, sum_low),
            squares: whole(squares_high, squares_low),
        }
    }
}

// === impl ScoreSums ===

impl ScoreSums {
    /// Those of one score; none where it never came.
    pub fn of(&self, name: &str) -> ScoreSum {
        let found = self.0.iter().find(|(it, _)| it == name);
        found.map(|(_, sum)| *sum).unwrap_or_default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds to the sums of one score.
    pub fn add_to(&mut self, name: &str, sum: &ScoreSum) {
        match self.0.iter_mut().find(|(it, _)| it == name) {
            Some((_, known)) => known.add(sum),
            None => {
                let place = self.0.partition_point(|(it, _)| it.as_str() < name);
                self.0.insert(place, (name.to_owned(), *sum));
            }
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        for (name, sum) in &other.0 {
            self.add_to(name, sum);
        }
    }

    /// What has come since `begin` was counted.
    pub fn since(&self, begin: &Self) -> Self {
        let since = |(name, sum): &(String, ScoreSum)| (name.clone(), sum.since(&begin.of(name)));
        Self(self.0.iter().map(since).collect())
    }
}
