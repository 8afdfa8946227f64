# Every target sets up what it needs; a machine with Python 3 (pip) and make is enough.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=

.PHONY: help setup run drill backtest test lint typecheck imports unit bench lock install clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## Prepare .venv from requirements.lock
	@$(PYTHON) ops/setup/bootstrap.py

run: setup ## Trade on paper over the embedded real daily bars; ends by itself, Ctrl-C ends it in order
	@$(BIN)/tradingd run --instance demo --fresh feed=sample feed.start=2010-01-01 \
	  feed.end=2012-12-31 feed.speed=1 feed.longest_wait=0.03 telemetry.metrics_port=0

drill: setup ## Drill the whole daemon against an Alpaca-compatible server on this machine: no keys
	@$(BIN)/tradingd sim drill

backtest: setup ## Import the same bars and backtest the same strategy on them
	@$(BIN)/tradingd data import source=sample
	@$(BIN)/tradingd backtest

test: lint typecheck imports unit ## Lint, types, import layers and all tests

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

typecheck: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports

unit: setup
	@$(BIN)/pytest -n 2 --dist loadfile $(PYTEST_ARGS)

bench: setup ## Print the benchmark ratios (installs the compared libraries into .venv-bench)
	@$(PYTHON) ops/setup/bootstrap.py --venv .venv-bench --lock requirements-bench.lock
	@.venv-bench/bin/python -m tests.benchmarks

lock: setup ## Rewrite the lock files from pyproject.toml
	@uv=$$(test -x .uv/bin/uv && echo .uv/bin/uv || echo uv); \
	for target in "requirements.lock --extra dev" "requirements-bench.lock --extra dev --extra bench"; do \
	  $$uv pip compile --quiet --universal --generate-hashes --python $(BIN)/python pyproject.toml \
	    --custom-compile-command "make lock" -o $$target || exit 1; done

install: ## Put units, helpers and example configuration into DESTDIR (releases: tradingd-release)
	@sh ops/install/install.sh "$(DESTDIR)"

clean: ## Remove environments and caches
	rm -rf .venv .venv-bench .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
