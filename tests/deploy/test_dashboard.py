"""The Grafana dashboard: current, and each of its queries returns data of a real Envoy."""

import json
import re
import subprocess
import sys
import time

from manifests import DEPLOY

SCRIPT = DEPLOY / "grafana" / "dashboard.py"
DASHBOARD = DEPLOY / "grafana" / "bluegreen.json"
CHOICES = {"$job": ".+", "$rollout": ".+", "$__rate_interval": "15s"}


def board() -> dict:
    return json.loads(DASHBOARD.read_text())


def queries() -> dict:
    """Expressions of all panels and marks, by where they stand."""
    found = {f"{panel['title']} {target['refId']}": target["expr"]
             for panel in board()["panels"] for target in panel.get("targets", [])}
    return {**found, **{f"mark: {mark['name']}": mark["expr"] for mark in board()["annotations"]["list"]}}


def chosen(expr: str) -> str:
    """With a value for each variable."""
    for name, value in CHOICES.items():
        expr = expr.replace(name, value)
    assert "$" not in expr, expr
    return expr


def test_the_committed_dashboard_is_what_the_script_writes():
    script = "import dashboard, sys; sys.stdout.write(dashboard.text())"
    ran = subprocess.run([sys.executable, "-B", "-c", script], cwd=SCRIPT.parent, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == DASHBOARD.read_text(), f"run {SCRIPT} and commit what it writes"


def test_each_query_returns_data(monitored, record_property):
    prometheus = monitored.prometheus

    def has_data(expr):
        data = prometheus.get("query_range", query=chosen(expr), start=monitored.since, end=time.time(), step=1)
        return any(value != "NaN" for series in data["result"] for _, value in series["values"])

    def empty():
        return [where for where, expr in queries().items() if not has_data(expr)]
    prometheus.until_none("no data", empty)
    record_property("seen", f"dashboard: {len(queries())} queries return data")


def test_each_choice_has_values(monitored):
    asked = [variable["query"] for variable in board()["templating"]["list"] if variable["type"] == "query"]
    assert len(asked) == 2
    for query in asked:
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
        assert monitored.prometheus.get(f"label/{label}/values", **{"match[]": chosen(selector)}), query


def test_no_panel_overlaps_another():
    taken = set()
    for panel in board()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board()["panels"]}) == len(board()["panels"])
