"""The Alertmanager example: who gets which alert, and a rollback of a real Envoy that arrives."""

import re
import subprocess

import yaml
from monitored import ROUTES, TOKEN
from prometheus import wanted
from test_rules import all_rules


def amtool(*arguments) -> str:
    wanted(("amtool", "prometheus-alertmanager"))
    ran = subprocess.run(["amtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.strip()


def test_the_file_is_valid():
    assert "SUCCESS" in amtool("check-config", ROUTES)


def test_critical_alerts_go_to_both_and_all_others_to_slack_alone():
    def receivers(severity):
        return amtool("config", "routes", "test", f"--config.file={ROUTES}", "alertname=a", f"severity={severity}")
    assert {severity: receivers(severity) for severity in ("critical", "warning", "info")} == {
        "critical": "webhook,slack", "warning": "slack", "info": "slack"}


def test_only_alerts_that_exist_are_inhibited():
    text = yaml.safe_dump(yaml.safe_load(ROUTES.read_text())["inhibit_rules"])
    assert set(re.findall(r"Bluegreen\w+", text)) <= {rule["alert"] for rule in all_rules("alert")}


def test_no_secret_is_in_the_file():
    made = ROUTES.read_text()
    assert not re.findall(r"(?:api_url|credentials|password|bearer_token|service_key):", made)


def test_a_rollback_reaches_the_webhook_and_slack(monitored, record_property):
    envoy, receiver = monitored.envoy, monitored.receiver

    def rollback(path):
        return [(body, token) for body, token in receiver.at(path) if "rolled back" in str(body)]
    [body, token] = envoy.until("the webhook", lambda: rollback("/alerts"))[0]
    assert token == f"Bearer {TOKEN}"
    [alert] = body["alerts"]
    assert (body["status"], alert["labels"]) == ("firing", {
        "alertname": "BluegreenRolledBack", "job": "envoy", "rollout": "broken", "severity": "critical"})
    assert alert["annotations"]["summary"] == "broken is rolled back"
    assert "Cause since Envoy's start: error_rate. " in alert["annotations"]["description"]

    [message, token] = envoy.until("Slack", lambda: rollback("/slack"))[0]
    assert token is None and message["channel"] == "#releases"
    [attachment] = message["attachments"]
    assert (attachment["title"], attachment["color"]) == ("broken is rolled back", "danger")
    record_property("seen", f"alertmanager: {attachment['title']}, at a webhook and at Slack")
