# Every target installs what it needs. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes that share the tests; 0: one after the other.
JOBS ?= 2
STAMP := $(VENV)/.installed
RIVALS_STAMP := .venv-rivals/.installed
SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help install demo run test test-slow test-long monitoring k8s check rivals bench soak contract consumers browser interop fuzz loss-stock chaos schedules lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(STAMP): requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"walletstream needs Python 3.11 or newer, {sys.executable} is {v.major}.{v.minor}: set PYTHON=/path/to/python3.11")'
	@echo "Installing into $(VENV) (once) ..."
	@if ! command -v uv >/dev/null; then \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt; \
	else uv venv --quiet --allow-existing --python $(PYTHON) $(VENV); fi
	@PATH="$$PATH:$(CURDIR)/$(BIN)"; uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@PATH="$$PATH:$(CURDIR)/$(BIN)"; uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP) ## Build .venv from nothing but Python 3.11+

demo: $(STAMP) ## Show it all on simulated orders; DEMO_SECONDS=30 ends by itself with an audit
	@$(BIN)/python -m connector.local demo

run: $(STAMP) ## Run it all on a real provider: PROVIDER, API_KEY and WALLETS, also from .env
	@$(BIN)/python -m connector.local run

test: $(STAMP) ## Run the tests, on a real Apache Kafka
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test-slow: $(RIVALS_STAMP) ## Run the tests that kill, freeze and restart for minutes
	$(BIN)/python -m pytest -m slow

test-long: $(STAMP) ## Roll three workers under load; run every program with the rights of the manifests
	$(BIN)/python -m pytest -m long

monitoring: $(STAMP) ## Prometheus' own tests of the alerts; then every alert and panel on the real system
	@programs=$$(bash tests/monitoring/prometheus.sh) && export PATH="$$programs:$$PATH" && \
	  bash tests/monitoring/grafana/check.sh && $(BIN)/python -m pytest -m prometheus tests/monitoring && \
	  $(BIN)/python -m tests.monitoring

k8s: $(STAMP) ## Hold the manifests to their schemas and to our policies; needs kubectl
	@command -v kubectl >/dev/null || { echo "make k8s needs kubectl 1.27 or newer (no cluster)"; exit 1; }
	$(BIN)/python -m pytest -m k8s tests/k8s

check: $(STAMP) ## Formatting, lint, types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(RIVALS_STAMP): $(STAMP) requirements/rivals.txt
	@PATH="$$PATH:$(CURDIR)/$(BIN)"; uv venv --quiet --allow-existing --python $(BIN)/python $(@D) && \
	  uv pip install --quiet --python $(@D)/bin/python --require-hashes -r requirements/rivals.txt
	@touch $@

rivals: $(RIVALS_STAMP) ## Install what only the comparison with Quix Streams needs; Kafka Streams needs a JDK

bench: $(RIVALS_STAMP) ## Measure everything side by side with its floor and with Kafka Streams and Quix Streams, an hour; BENCH="--quick" in minutes
	@$(BIN)/python -m tests.bench $(BENCH) --out bench/results.json && .venv-rivals/bin/python -m tests.bench.plots bench/results.json bench

soak: $(STAMP) ## Watch memory for an hour of orders and broken connections; SOAK="--minutes 5" for less
	@$(BIN)/python -m tests.bench.soak $(SOAK)

contract: $(STAMP) ## Write the contract's documents anew, after a change of topics or schemas
	@$(BIN)/python -m streams.contract

consumers: $(STAMP) ## Run the example consumers in Node and Java on a real Apache Kafka, and check the AsyncAPI document
	$(BIN)/python -m pytest tests/consumers

browser: $(STAMP) ## Look at the board in a real browser, the system's Chromium (installed where apt-get can)
	@command -v chromium >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }
	$(BIN)/python -m pytest -m "slow or not slow" tests/browser

interop: $(STAMP) ## Run Dome's official SDKs, unmodified, against the simulator (Node where present)
	@bash tests/interop/run.sh

fuzz: $(STAMP) ## Send a million mutated frames through the connector's core; FUZZ_FRAMES sets how many
	@$(BIN)/python -m tests.fuzz --frames $${FUZZ_FRAMES:-1000000}

loss-stock: $(STAMP) ## Count what stock Faust tables lose under the faults our worker survives
	@$(BIN)/python -m tests.loss_stock

chaos: $(STAMP) ## Faults of every kind, then the book against the topics; CHAOS_FAULTS=1000 for the long run, CHAOS_SEED
	@$(BIN)/python -m tests.chaos

schedules: $(STAMP) ## Fault schedules of the workers while rules change, SCHEDULES=100 for the long run, SCHEDULES_SEED
	@$(BIN)/python -m tests.schedules

lock: $(STAMP) ## Resolve the dependencies again into requirements/
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --all-extras --group dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group rivals pyproject.toml -o requirements/rivals.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/run.txt
	echo hatchling | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate - -c requirements/dev.txt -o requirements/build.txt
	echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate - -c requirements/dev.txt -o requirements/bootstrap.txt

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .venv-rivals .pytest_cache .mypy_cache .ruff_cache .hypothesis
