# Python 3.11 or newer and make are all that must be there; everything else goes into .venv, from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo up test lint bench docs lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Made anew when the lock or the project's own metadata change; a second make finds it ready at once.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed and $(PYTHON) is older or missing; run: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "installing into $(VENV), once, about two minutes"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## the whole platform on a synthetic market, then the index
	@$(BIN)/abri demo

up: $(READY) ## the Dagster UI, its daemon and a sandbox, over the demo's home
	@$(BIN)/abri up --demo

test: $(READY) ## all tests but the measurements
	@$(BIN)/python -m pytest -q -m "not bench"

lint: $(READY) ## style, formats, types, definitions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && \
	  ABRI_HOME=$$home PYTHONWARNINGS=ignore $(BIN)/dagster definitions validate --log-level warning -w workspace.yaml

bench: $(READY) ## measurements, medians of five
	@$(BIN)/python -m abri_pipeline_tests.bench

docs: $(READY) ## write docs/datasets.md from the contracts
	@$(BIN)/python -c 'from abri_pipeline.contracts.pages import datasets_page; from pathlib import Path; Path("docs/datasets.md").write_text(datasets_page())'

kills: $(READY) ## 200 seeded kills of a load, over both databases
	@ABRI_KILLS=200 $(BIN)/python -m pytest -q abri_pipeline_tests/reliability/test_kills.py

machine: $(READY) ## 500 random histories of 50 steps on each database, against a plain dictionary
	@ABRI_MACHINE=500x50 $(BIN)/python -m pytest -q abri_pipeline_tests/reliability/test_machine.py

lock: ## write requirements.lock anew from pyproject.toml
	@rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/python -m pip install --quiet uv
	@$(VENV)-lock/bin/uv pip compile --python-version 3.11 --extra dev --generate-hashes --no-strip-extras \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.lock
	@rm -rf $(VENV)-lock

clean: ## forget the environment and the caches; what is in var/ stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
