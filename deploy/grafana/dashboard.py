"""Writes bluegreen.json, the dashboard, beside this file. Needs grafana-foundation-sdk from PyPI."""

import json
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery, Dashboard, DatasourceVariable, QueryVariable, Row)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableOption, VariableRefresh, VariableSort
from panels import SOURCE, STATES, VERDICTS, lines, number, states

TARGET = Path(__file__).with_name("bluegreen.json")
# What the drop-downs choose.
ROLLOUT = 'job=~"$job",rollout=~"$rollout"'
PROXY = 'job=~"$job"'
COLOR = "{{rollout}} {{color}}"


def over(function: str, metric: str, by: str, labels=ROLLOUT) -> str:
    return f"sum by ({by}) ({function}({metric}{{{labels}}}[$__rate_interval]))"


def rate(metric: str, by="rollout, color", labels=ROLLOUT) -> str:
    return over("rate", metric, by, labels)


def gauge(metric: str, by="rollout, color", labels=ROLLOUT) -> str:
    return f"max by ({by}) ({metric}{{{labels}}})"


def quantile(q: float, metric: str) -> str:
    return f"histogram_quantile({q}, {rate(metric + '_bucket', 'rollout, color, le')})"


def figure(name: str) -> dict:
    """A figure of the quality gate and the ends of its interval, in percent."""
    ends = {COLOR: "", COLOR + " low": "_low", COLOR + " high": "_high"}
    return {legend: gauge(f"bluegreen_quality_{name}{end}_ppm") + " / 10000" for legend, end in ends.items()}


def increase(metric: str) -> str:
    return over("increase", metric, "instance", PROXY)


DECISIONS = rate("bluegreen_requests_total")
FINISHED = rate("bluegreen_guard_finished_total")

RELEASES = [
    states("State", "What the guard or the quality gate says of each rollout.",
           {"{{rollout}}": f"clamp_max({gauge('bluegreen_guard_state', 'rollout')}, 2)"}, STATES, width=12),
    number("Rolled back", "Rollouts that are rolled back on some proxy.",
           {"": f"count({gauge('bluegreen_guard_state', 'rollout')} >= 2) or vector(0)"}, red_from=1),
    number("Configurations", "Different ones in force in a job. More than one for long: a push did not reach every proxy.",
           {"": f"max(count by (job) (count_values by (job) ('fingerprint', bluegreen_config_fingerprint{{{PROXY}}})))"},
           red_from=2),
    number("Proxies", "Envoys that have a configuration in force.", {"": f"count(bluegreen_config_fingerprint{{{PROXY}}})"}),
    lines("Weight in force", "As the configuration, the ramp or a rollback says.", "percent",
          {COLOR: gauge("bluegreen_weight_millipercent") + " / 1000"}),
    lines("Share of the requests", "What the split gives. With few users it differs from the weight.", "percentunit",
          {COLOR: f"{DECISIONS} / on (rollout) group_left {rate('bluegreen_requests_total', 'rollout')}"}),
    lines("Ramp", "The step in force, and whether it waits for more than time.", "none",
          {"{{rollout}} step": f"{gauge('bluegreen_ramp_step', 'rollout')} < 1e18",
           "{{rollout}} waits": gauge("bluegreen_ramp_waiting", "rollout")}),
]

TRAFFIC = [
    lines("Requests", "Decisions a second.", "reqps", {COLOR: DECISIONS}),
    lines("Failed", "Out of the requests that the guard counts; without a guard, out of all responses.", "percentunit",
          {COLOR: f"{rate('bluegreen_failures_total')} / ({FINISHED} or {rate('bluegreen_responses_total')})"}),
    lines("Time to first byte", "Median and 99th percentile.", "ms",
          {COLOR + " p50": quantile(0.5, "bluegreen_response_start_ms"),
           COLOR + " p99": quantile(0.99, "bluegreen_response_start_ms")}),
    lines("Responses by class", "`none`: the client left before a response began.", "reqps",
          {COLOR + " {{code_class}}": rate("bluegreen_responses_total", "rollout, color, code_class")}),
    lines("In flight", "Streams that have not ended.", "none",
          {COLOR: f"sum by (rollout, color) (bluegreen_in_flight{{{ROLLOUT}}})"}),
    lines("Whole stream", "99th percentile.", "ms", {COLOR: quantile(0.99, "bluegreen_request_duration_ms")}),
]

EVIDENCE = [
    lines("Evidence", "How near the sequential guard is to a rollback. At 100 % it rolls back.", "percent",
          {"{{rollout}} {{cause}}": gauge("bluegreen_guard_evidence_percent", "rollout, cause")}),
    lines("Slow", "Out of the requests that the guard counts.", "percentunit",
          {COLOR: f"{rate('bluegreen_guard_slow_total')} / {FINISHED}"}),
    lines("Retried", "Requests a second that needed more than one attempt upstream.", "reqps",
          {COLOR: rate("bluegreen_retried_total")}),
]

QUALITY = [
    lines("F1", "Of the release in force, with the ends of its interval.", "percent", figure("f1")),
    lines("Precision", "Of the release in force, with the ends of its interval.", "percent", figure("precision")),
    lines("Recall", "Of the release in force, with the ends of its interval.", "percent", figure("recall")),
    lines("Samples", "Predictions of the release in force whose outcome is known.", "none",
          {COLOR: gauge("bluegreen_quality_samples")}, width=12),
    lines("Outcomes", "By feedback, a second.", "none",
          {COLOR + " {{outcome}}": rate("bluegreen_quality_outcomes_total", "rollout, color, outcome")}, width=12),
]

SCORE = COLOR + " {{score}}"
SHADOW = "bluegreen_shadow_"

MODELS = [
    lines("Scores", "Means of the release in force, with the ends of their intervals.", "none",
          {legend: gauge(f"bluegreen_score_{figure}_micro", "rollout, color, score") + " / 1e6"
           for legend, figure in {SCORE: "mean", SCORE + " low": "low", SCORE + " high": "high"}.items()}),
    states("Limits", "What the quality gate says of each limit. A ramp waits while one is undecided.",
           {"{{rollout}} {{limit}}": gauge("bluegreen_quality_verdict", "rollout, limit")}, VERDICTS, width=8),
    lines("Time to first token", "Median and 95th percentile, of streams.", "ms",
          {COLOR + " p50": quantile(0.5, "bluegreen_first_chunk_ms"),
           COLOR + " p95": quantile(0.95, "bluegreen_first_chunk_ms")}),
    lines("Tokens a second", "Of one stream, where the service sends each token as a piece.", "none",
          {COLOR: f"{rate('bluegreen_chunks_total')} / {rate('bluegreen_stream_ms_sum')} * 1000"}),
    lines("Copies", "Requests of users that the canary got a copy of, and copies that failed, a second.", "reqps",
          {COLOR + " copies": rate(f"{SHADOW}requests_total"), COLOR + " failed": rate(f"{SHADOW}failures_total")}),
    lines("Disagreement", "Copied requests that the colors answer differently, with the ends of the interval.", "percent",
          {legend: gauge(f"{SHADOW}disagreement{end}_ppm", "rollout") + " / 10000"
           for legend, end in {"{{rollout}}": "", "{{rollout}} low": "_low", "{{rollout}} high": "_high"}.items()}),
]

PROXIES = [
    lines("How users are assigned", "By reason. `random`: the request had no key.", "reqps",
          {"{{rollout}} {{reason}}": rate("bluegreen_requests_total", "rollout, reason")}),
    lines("Outside the split", "Requests that no rollout matched, and overrides that were not allowed.", "reqps",
          {"unmatched": rate("bluegreen_unmatched_total", "", PROXY),
           "{{rollout}} override denied": rate("bluegreen_override_denied_total", "rollout")}),
    lines("Trouble", "Refused configurations, VMs that died, and requests to clusters that Envoy does not have.", "none",
          {"{{instance}} refused": increase("envoy_extension_config_discovery_http_filter_bluegreen_config_fail"),
           "{{instance}} VM lost": increase("envoy_wasm_bluegreen_vm_reload"),
           "{{instance}} no cluster": increase("envoy_http_no_cluster")}),
]

ROWS = {"Releases": RELEASES, "Traffic": TRAFFIC, "Guard": EVIDENCE, "Model quality": QUALITY, "Models": MODELS,
        "Proxies": PROXIES}


def choice(name: str, query: str) -> QueryVariable:
    """A drop-down of a label's values; all of them at first."""
    everything = VariableOption(selected=True, text="All", value="$__all")
    return (QueryVariable(name).label(name).datasource(SOURCE).query(query).multi(True).include_all(True).all_value(".+")
            .current(everything).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC))


def event(name: str, color: str, expr: str) -> AnnotationQuery:
    """A mark on every chart where the expression has a value."""
    return AnnotationQuery().name(name).datasource(SOURCE).enable(True).icon_color(color).expr(expr)


def build() -> Dashboard:
    made = (
        Dashboard("bluegreen").uid("bluegreen").tags(["envoy", "bluegreen"]).time("now-1h", "now").refresh("10s")
        .tooltip(DashboardCursorSync.CROSSHAIR).editable()
        .with_variable(DatasourceVariable("source").label("data source").type("prometheus"))
        .with_variable(choice("job", "label_values(bluegreen_config_fingerprint, job)"))
        .with_variable(choice("rollout", 'label_values(bluegreen_weight_millipercent{job=~"$job"}, rollout)'))
        .annotation(event("rollback", "red", f"{over('increase', 'bluegreen_guard_trips_total', 'rollout, cause')} > 0"))
        .annotation(event("configuration", "blue", f"{over('changes', 'bluegreen_config_fingerprint', 'job', PROXY)} > 0")))
    number_of = 0
    for title, panels in ROWS.items():
        made.with_row(Row(title).id(number_of := number_of + 1))
        for panel in panels:
            made.with_panel(panel.id(number_of := number_of + 1))
    return made


def text() -> str:
    return json.dumps(build().build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
