//! Envoy's histograms, as `/stats` shows them with `histogram_buckets=detailed`.

use serde_json::Value;

/// How many values there were of which size: two significant digits each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Not empty, in order.
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bin {
    lower: f64,
    width: f64,
    count: u64,
}

// === impl Histogram ===

impl Histogram {
    /// Reads `totals`.
    pub fn parse(totals: &Value) -> Self {
        let bins = totals.as_array().into_iter().flatten();
        let mut bins: Vec<Bin> = bins.filter_map(Bin::parse).collect();
        bins.sort_by(|one, other| one.lower.total_cmp(&other.lower));
        Self { bins }
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        let counts = self.bins.iter().map(|bin| bin.count);
        counts.fold(0, u64::saturating_add)
    }

    /// What has come since `begin`.
    pub fn since(&self, begin: &Self) -> Self {
        let mut before = begin.bins.iter().peekable();
        let mut bins = Vec::new();
        for bin in &self.bins {
            while before.next_if(|it| it.lower < bin.lower).is_some() {}
            let old = before.next_if(|it| it.lower == bin.lower);
            let count = bin.count.saturating_sub(old.map_or(0, |it| it.count));
            if count > 0 {
                bins.push(Bin { count, ..*bin });
            }
        }
        Self { bins }
    }

    /// The value below which this share of all values lie; none of no values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = share * self.count() as f64;
        let mut below = 0.0;
        for bin in &self.bins {
            let count = bin.count as f64;
            if below + count >= rank {
                let inside = ((rank - below) / count).clamp(0.0, 1.0);
                return Some(bin.lower + bin.width * inside);
            }
            below += count;
        }
        self.bins.last().map(|bin| bin.lower + bin.width)
    }
}

// === impl Bin ===

impl Bin {
    fn parse(bin: &Value) -> Option<Self> {
        Some(Self {
            lower: bin.get("lower_bound")?.as_f64()?,
            width: bin.get("width")?.as_f64()?,
            count: bin.get("count")?.as_u64().filter(|&count| count > 0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn histogram(bins: &[(f64, f64, u64)]) -> Histogram {
        let bin = |&(lower, width, count): &(f64, f64, u64)| json!({ "lower_bound": lower, "width": width, "count": count });
        Histogram::parse(&Value::Array(bins.iter().map(bin).collect()))
    }

    #[test]
    fn a_quantile_lies_within_its_bin() {
        let times = histogram(&[(0.0, 0.0, 50), (10.0, 1.0, 49), (200.0, 10.0, 1)]);
        assert_eq!(times.count(), 100);
        assert_eq!(times.quantile(0.5), Some(0.0));
        assert_eq!(times.quantile(0.99), Some(11.0));
        assert_eq!(times.quantile(1.0), Some(210.0));
        assert_eq!(histogram(&[]).quantile(0.5), None);
    }

    #[test]
    fn what_came_before_does_not_count() {
        let before = histogram(&[(1.0, 0.1, 1_000), (5.0, 0.1, 3)]);
        let now = histogram(&[(1.0, 0.1, 1_000), (3.0, 0.1, 10), (5.0, 0.1, 4)]);
        assert_eq!(
            now.since(&before),
            histogram(&[(3.0, 0.1, 10), (5.0, 0.1, 1)])
        );
        assert_eq!(now.since(&Histogram::default()), now);
    }
}
