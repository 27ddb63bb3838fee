//! `scores`: figures of predictions whose mean tells how good a model is.

use crate::analysis::quality::Quality;
use crate::analysis::score::{Better, Score, ScoreLimits};
use crate::config::kind::{BetterWay, Percentage, ScoreValue, TolerancePercentage};
use crate::json::node::{Node, Read};
use crate::json::object::{Field, read_entries, read_object};
use crate::json::problems::Problems;
use crate::value::name::ScoreName;
use serde::Deserialize;

/// The scores of a rollout, by name.
pub struct ScoresConfig;

/// A score: which way it gets better, and the limits of its mean that go with that.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'd"))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ScoreConfig<'d> {
    /// Whether a higher or a lower mean is better.
    better: Field<'d, BetterWay>,
    /// The lowest mean; where higher is better.
    #[serde(default)]
    min: Field<'d, ScoreValue>,
    /// The highest mean; where lower is better.
    #[serde(default)]
    max: Field<'d, ScoreValue>,
    /// The most that the mean may be below that of the stable color; where higher is better.
    #[serde(default)]
    max_drop: Field<'d, ScoreValue>,
    /// The most that the mean may be above that of the stable color; where lower is better.
    #[serde(default)]
    max_rise: Field<'d, ScoreValue>,
    /// As `max_drop`, in percent of the stable color's mean.
    #[serde(default)]
    max_drop_percent: Field<'d, Percentage>,
    /// As `max_rise`, in percent of the stable color's mean.
    #[serde(default)]
    max_rise_percent: Field<'d, TolerancePercentage>,
}

// === impl ScoresConfig ===

impl Read for ScoresConfig {
    type Valid = Vec<Score>;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Vec<Score>> {
        let before = problems.count();
        let mut scores = Vec::new();
        for (name, json) in read_entries(node, Quality::MAX_SCORES, problems)? {
            let node = node.field(&name, json.get());
            let limits = ScoreConfig::read(&node, problems);
            match ScoreName::parse(&name) {
                Ok(name) => scores.extend(limits.map(|limits| Score { name, limits })),
                Err(_) => {
                    let message =
                        "a name that can't be a score's, must be 1 to 64 of a-z, 0-9, '_' and '-'";
                    node.problem(problems, message);
                }
            }
        }
        (problems.count() == before).then_some(scores)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl schemars::JsonSchema for ScoresConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ScoresConfig".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The scores of a rollout, by name.",
            "type": "object",
            "maxProperties": Quality::MAX_SCORES,
            "propertyNames": { "pattern": "^[a-z0-9_-]{1,64}$" },
            "additionalProperties": generator.subschema_for::<ScoreConfig<'static>>(),
        })
    }
}

// === impl ScoreConfig ===

impl Read for ScoreConfig<'_> {
    type Valid = ScoreLimits;

    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<ScoreLimits> {
        let raw: ScoreConfig<'_> = read_object(node, problems)?;
        let better = raw.better.required(node, problems);
        let min = raw.min.optional(node, problems);
        let max = raw.max.optional(node, problems);
        let max_drop = raw.max_drop.optional(node, problems);
        let max_rise = raw.max_rise.optional(node, problems);
        let max_drop_percent = raw.max_drop_percent.optional(node, problems);
        let max_rise_percent = raw.max_rise_percent.optional(node, problems);
        let given = [
            raw.min.node(node),
            raw.max_drop.node(node),
            raw.max_drop_percent.node(node),
        ];
        let given_of_lower = [
            raw.max.node(node),
            raw.max_rise.node(node),
            raw.max_rise_percent.node(node),
        ];
        let (others, message) = match better? {
            Better::Higher => (
                given_of_lower,
                "a limit where lower is better, must be one of min, max_drop and max_drop_percent",
            ),
            Better::Lower => (
                given,
                "a limit where higher is better, must be one of max, max_rise and max_rise_percent",
            ),
        };
        for other in others.into_iter().flatten() {
            other.problem(problems, message);
        }
        Some(match better? {
            Better::Higher => ScoreLimits::Higher {
                min,
                max_drop,
                max_drop_percent,
            },
            Better::Lower => ScoreLimits::Lower {
                max,
                max_rise,
                max_rise_percent,
            },
        })
    }
}
