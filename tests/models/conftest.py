import pytest
from process import end_when_told
from proxy import WASM
from stage import Stage


def pytest_configure(config):
    end_when_told()


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    assert WASM.exists(), f"{WASM} is not there: make build"
    with Stage(tmp_path_factory.mktemp("models") / "run") as stage:
        yield stage
