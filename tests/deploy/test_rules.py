"""The rules of deploy/prometheus: unit tests by promtool, and all of them in a Prometheus that scrapes an Envoy."""

import re
import subprocess
from pathlib import Path

import yaml
from monitored import RULES
from prometheus import wanted

TESTS = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
# Shown by features that the Envoy of this test does not use: a fleet, and the profile `signalled`.
ELSEWHERE = {"bluegreen_fleet_connected", "bluegreen_signal_missed_total"}


def groups() -> list:
    return [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]


def all_rules(kind: str) -> list:
    return [rule for group in groups() for rule in group["rules"] if kind in rule]


def cases(kind: str) -> list:
    return [case for path in TESTS for test in yaml.safe_load(path.read_text())["tests"] for case in test.get(kind, [])]


def promtool(*arguments):
    wanted(("promtool", "prometheus"))
    ran = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_rules_do_what_their_unit_tests_say():
    promtool("check", "rules", *RULES)
    promtool("test", "rules", *TESTS)


def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not():
    fires = {case["alertname"] for case in cases("alert_rule_test") if case["exp_alerts"]}
    rests = {case["alertname"] for case in cases("alert_rule_test") if not case["exp_alerts"]}
    assert fires == rests == {rule["alert"] for rule in all_rules("alert")}


def test_each_recorded_series_has_a_test():
    tested = {name for case in cases("promql_expr_test") for name in re.findall(r"\w+:\w+:\w+", case["expr"])}
    assert tested == {rule["record"] for rule in all_rules("record")}


def test_each_alert_says_how_urgent_it_is_and_what_to_do():
    for rule in all_rules("alert"):
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), rule
        assert rule["annotations"].keys() == {"summary", "description"}, rule


def test_every_alert_is_in_the_documentation():
    text = (RULES[0].parents[2] / "docs" / "monitoring.md").read_text()
    assert set(re.findall(r"`(Bluegreen\w+)`", text)) == {rule["alert"] for rule in all_rules("alert")}


def test_prometheus_evaluates_all_rules_on_series_that_envoy_has(monitored):
    prometheus = monitored.prometheus

    def evaluated():
        found = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else None
    found = prometheus.until("all rules evaluated", evaluated)
    assert len(found) == len(all_rules("alert")) + len(all_rules("record"))
    assert [rule for rule in found if rule["health"] != "ok"] == []
    used = {name for rule in found for name in re.findall(r"(?<![\w:])(?:bluegreen|envoy)_\w+", rule["query"])}
    recorded = {rule["record"] for rule in all_rules("record")}

    def missing():
        return (used | recorded) - set(prometheus.get("label/__name__/values"))
    prometheus.until_none("no series", lambda: missing() - ELSEWHERE)
    assert missing() == ELSEWHERE
