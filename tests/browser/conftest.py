import pytest
from playwright.sync_api import expect, sync_playwright
from process import end_when_told
from proxy import WASM
from stage import PROGRAM, ROLLOUT, Dashboard, Stage, chromium, eventually
from upstream import Behavior


def pytest_configure(config):
    end_when_told()
    expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    for needed in (WASM, PROGRAM):
        assert needed.exists(), f"{needed} is not there: make build cli"
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="session")
def dashboard(running):
    with Dashboard(running, "--file", "bluegreen.yaml") as dashboard:
        yield dashboard


@pytest.fixture
def stage(running):
    """As at the start: green has 10 %, both colors do well, and users send requests."""
    running.upstreams.behavior.update(blue=Behavior(), green=Behavior())
    # Any other field ends a rollback of the test before.
    running.round += 1
    guard = {**ROLLOUT["guard"], "min_requests": 50 + running.round}
    running.write([{**ROLLOUT, "guard": guard}])
    running.send()
    eventually("the weight at the start", lambda: running.weight() == 10)
    return running


@pytest.fixture
def open_page(browser, dashboard):
    """Opens the dashboard in a browser that knows nothing of it. An error in the page fails the test."""
    contexts, errors = [], []

    def open_page(url=dashboard.url, is_own=True, **options):
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        if is_own:
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda told: errors.append(told.text) if "Content Security Policy" in told.text else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
