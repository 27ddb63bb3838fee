import pytest
from manifests import CRDS, SCHEMAS_MISSING
from monitored import Monitored
from process import end_when_told
from proxy import Envoy, WASM, upstream


def pytest_configure(config):
    end_when_told()


def pytest_report_header(config):
    return SCHEMAS_MISSING if not CRDS.is_dir() else f"schemas of custom resources: {CRDS}"


def pytest_terminal_summary(terminalreporter):
    if not CRDS.is_dir():
        terminalreporter.write_line(SCHEMAS_MISSING)
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "seen" and report.when == "call":
                terminalreporter.write_line(value)


@pytest.fixture(scope="session", autouse=True)
def code():
    assert WASM.exists(), f"{WASM} is not there: make build"


@pytest.fixture(scope="session")
def upstreams(tmp_path_factory):
    """Ports of a blue and a green upstream."""
    bootstrap = {"static_resources": {"listeners": [upstream("blue"), upstream("green")]}}
    with Envoy(bootstrap, tmp_path_factory.mktemp("upstreams"), "upstreams") as envoy:
        yield {color: envoy.port(color) for color in ("blue", "green")}


@pytest.fixture(scope="session")
def monitored(tmp_path_factory):
    """An Envoy under traffic with a Prometheus and an Alertmanager."""
    made = Monitored(tmp_path_factory.mktemp("monitored"))
    try:
        yield made
    finally:
        made.end()
