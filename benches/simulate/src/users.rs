//! Users with a key, each of whom does more or less than the others.

use crate::random::Weighted;
use bluegreen::{Bucket, Color, PerColor};
use fastrand::Rng;

/// Who sends the requests.
#[derive(Clone, Debug)]
pub struct Users {
    buckets: PerColor<Vec<Bucket>>,
    activity: PerColor<Vec<f64>>,
    active: PerColor<Weighted>,
    /// For how long the same ones are active; 0 where all are all the time.
    session_s: u64,
}

// === impl Users ===

impl Users {
    /// So many users, `canary` of them on the canary. The most active of them does `spread` times what the least
    /// active does; activity falls off evenly on a logarithmic scale.
    pub fn new(count: u32, canary: u32, spread: f64, session_s: u64, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut users = Self {
            buckets: PerColor::default(),
            activity: PerColor::default(),
            active: PerColor::default(),
            session_s,
        };
        let boundary = Bucket::COUNT / 10;
        for index in 0..count {
            let (color, number) = match index < canary {
                true => (Color::Green, rng.u32(..boundary)),
                false => (Color::Blue, rng.u32(boundary..Bucket::COUNT)),
            };
            // The middle of the bucket's range of hashes.
            let hash = (u128::from(number) * 2 + 1) << 63;
            let bucket = Bucket::from_hash((hash / u128::from(Bucket::COUNT)) as u64);
            users.buckets.of_mut(color).push(bucket);
            let activity = spread.powf(rng.f64());
            users.activity.of_mut(color).push(activity);
        }
        users.active =
            PerColor::from_fn(|color| Weighted::new(users.activity.of(color).iter().copied()));
        users
    }

    /// Others are active from time to time: three in ten at a time.
    pub fn advance(&mut self, second: u64, rng: &mut Rng) {
        if self.session_s == 0 || !second.is_multiple_of(self.session_s) {
            return;
        }
        for color in Color::ALL {
            let activity = self.activity.of(color).iter();
            *self.active.of_mut(color) =
                Weighted::new(activity.map(|&it| if rng.f64() < 0.3 { it } else { 0.0 }));
        }
    }

    /// The share of requests that the users of a color send.
    pub fn share(&self, color: Color) -> f64 {
        let all = self.active.blue.total() + self.active.green.total();
        if all > 0.0 {
            self.active.of(color).total() / all
        } else {
            0.0
        }
    }

    /// Who sends a request of this color.
    pub fn draw(&self, color: Color, rng: &mut Rng) -> Bucket {
        self.buckets.of(color)[self.active.of(color).draw(rng)]
    }

    /// The canary user who is in a retry loop: another one each day.
    pub fn broken(&self, second: u64) -> Bucket {
        let canary = &self.buckets.green;
        canary[(second / 86_400) as usize % canary.len()]
    }
}
