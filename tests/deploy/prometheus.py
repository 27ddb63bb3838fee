"""A running Prometheus."""

import json
import shutil
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml
from process import Process
from shapes import free_port


def wanted(*programs):
    """Fails the test where one of these programs is not installed."""
    for program, package in programs:
        if not shutil.which(program):
            pytest.fail(f"needs {program}: apt-get install {package}")


class Prometheus(Process):
    """Scrapes Envoys, each as a job with its relabel rules; evaluates rules and sends alerts."""

    def __init__(self, directory, jobs: dict, interval="500ms", rules=(), alertmanager=None):
        wanted(("prometheus", "prometheus"))
        self.port = free_port()
        scrapes = [{"job_name": name, "metrics_path": "/stats/prometheus",
                    "static_configs": [{"targets": [envoy.admin_address]}], "metric_relabel_configs": relabel}
                   for name, (envoy, relabel) in jobs.items()]
        config = {"global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
                  "rule_files": [str(path) for path in rules], "scrape_configs": scrapes}
        if alertmanager:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
        directory.mkdir(parents=True)
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        super().__init__(["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                          f"--web.listen-address=127.0.0.1:{self.port}"], directory, "prometheus")

    def get(self, path: str, **parameters):
        """The data of an answer of its API; None while it does not answer. A query that it refuses is an error."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise AssertionError(f"{path} {parameters}: {error.read().decode()}") from error
        except OSError:
            return None

    def samples(self, job: str) -> dict:
        """Value by name and labels of the filter's stats."""
        data = self.get("query", query=f'{{job="{job}",__name__=~"bluegreen_.+"}}')
        own = ("job", "instance")
        return {tuple(sorted((name, value) for name, value in one["metric"].items() if name not in own)):
                float(one["value"][1]) for one in (data or {"result": []})["result"]}
