//! What charts show of the time before the page was opened.

use crate::dashboard::point::Point;
use crate::live::view::{Link, LiveView, RolloutView};
use std::collections::{HashMap, HashSet, VecDeque};

/// The last minutes of each rollout, in each Envoy and in all of them.
#[derive(Debug, Default)]
pub struct History {
    series: HashMap<Key, VecDeque<Point>>,
}

/// Whose points.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    rollout: String,
    /// The index of the Envoy; none for all of them.
    envoy: Option<usize>,
}

/// At one look a second, half an hour.
const MOST_POINTS: usize = 1_800;
/// Over all rollouts: some 50 MB.
const MOST_POINTS_OF_ALL: usize = 300_000;
const LEAST_POINTS: usize = 60;

// === impl History ===

impl History {
    /// Adds what is shown at a moment.
    pub fn push(&mut self, view: &LiveView) {
        let mut now: HashMap<Key, Point> = HashMap::new();
        let mut by_name: HashMap<&str, Vec<&RolloutView>> = HashMap::new();
        for (index, envoy) in view
            .envoys
            .iter()
            .enumerate()
            .filter(|(_, it)| it.link == Link::Up)
        {
            for rollout in &envoy.rollouts {
                by_name.entry(&rollout.name).or_default().push(rollout);
                let point = Point::of(view.at_ms, &[rollout]);
                let key = Key::new(&rollout.name, Some(index));
                now.extend(point.map(|point| (key, point)));
            }
        }
        for (name, views) in by_name {
            let point = Point::of(view.at_ms, &views);
            now.extend(point.map(|point| (Key::new(name, None), point)));
        }
        // An Envoy that is lost shows its rollouts as they were last.
        let rollouts = view.envoys.iter().flat_map(|it| &it.rollouts);
        let names: HashSet<&str> = rollouts.map(|it| it.name.as_str()).collect();
        self.series
            .retain(|key, _| names.contains(key.rollout.as_str()));
        for (key, point) in now {
            self.series.entry(key).or_default().push_back(point);
        }
        let share = MOST_POINTS_OF_ALL / self.series.len().max(1);
        let most = share.clamp(LEAST_POINTS, MOST_POINTS);
        for points in self.series.values_mut() {
            let over = points.len().saturating_sub(most);
            points.drain(..over);
        }
    }

    /// The points of a rollout that came after a moment.
    pub fn since(&self, rollout: &str, envoy: Option<usize>, at_ms: u64) -> Vec<Point> {
        let points = self.series.get(&Key::new(rollout, envoy));
        let points = points.into_iter().flatten();
        points.filter(|it| it.at_ms > at_ms).cloned().collect()
    }
}

// === impl Key ===

impl Key {
    fn new(rollout: &str, envoy: Option<usize>) -> Self {
        Self {
            rollout: rollout.to_owned(),
            envoy,
        }
    }
}
