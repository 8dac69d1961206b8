# Two commands do everything: `make book` and `make test`. Both make the environment first.
# `make` alone lists all targets.
PYTHON ?= python3
.DEFAULT_GOAL := help
BIN := .venv/bin
ENV := .venv/.installed
# Left out of the quick tests: what runs notebooks, builds books, trains detectors, measures, or needs data that are not here.
QUICK := -q -x -m "not notebooks and not book and not slow and not real_data" --ignore=tests/benchmarks --ignore=tests/detect/test_train.py tests

# XGBoost asks for NCCL, 300 MB that only several GPUs use.
LOCK := -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.12 pyproject.toml
# Of the target `site`: where it will stand, where its source is, and the name of this version.
ADDRESS ?=
REPOSITORY ?=
VERSION ?=

.PHONY: help book site test quicktest format env lock oldest mutants clean

book: $(ENV) ## make the environment, run all chapters, build the book
	$(BIN)/lsa run quick
	$(BIN)/lsa book quick

site: $(ENV) ## all chapters, then the book as a site for a web server: make site ADDRESS=https://…
	$(BIN)/lsa run quick
	$(BIN)/lsa publish quick --out site --address "$(ADDRESS)" --repository "$(REPOSITORY)" --version "$(VERSION)" $(PDF)

test: $(ENV) ## check everything: style, twins, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q lsa_helpers tests
	$(BIN)/lsa check
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

quicktest: $(ENV) ## the tests without trainings, notebooks and the book
	$(BIN)/pytest $(QUICK)

format: $(ENV) ## bring code into the form that `make test` asks for
	$(BIN)/ruff check --fix -q .
	$(BIN)/ruff format -q lsa_helpers tests
	$(BIN)/lsa sync

env: $(ENV) ## make the environment alone

# Compiled once here, where Python itself may be told to write no bytecode: a kernel that starts torch is then nine seconds faster.
# uv is used when it is there; otherwise it is installed into the new environment, never outside it.
$(ENV): requirements.lock pyproject.toml
	@command -v git >/dev/null || { echo "git is missing: install it (Debian: apt install git; macOS: xcode-select --install)."; exit 2; }
	@command -v uv >/dev/null || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || { \
	  echo "Python 3.12 or newer is needed and $(PYTHON) is not: install it from python.org, or name one with make PYTHON=python3.13."; exit 2; }
	@if command -v uv >/dev/null; then uv venv -q --clear .venv; else \
	  $(PYTHON) -m venv --clear .venv || { echo "$(PYTHON) cannot make environments: on Debian, apt install python3-venv."; exit 2; }; \
	  $(BIN)/python -m pip install -q uv; fi
	@uv=$$(command -v uv || echo $(BIN)/uv); \
	  $$uv pip install -q -p $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock && $$uv pip install -q -p $(BIN)/python --no-deps -e .
	@touch $(ENV)

lock: $(ENV) ## compile both locks anew: all, and what a machine without torch needs
	@uv=$$(command -v uv || echo $(BIN)/uv); $$uv pip compile $(LOCK) --extra dev --extra networks -o requirements.lock && \
	  $$uv pip compile $(LOCK) --no-emit-package nvidia-nccl-cu13 -o requirements-light.lock

oldest: $(ENV) ## the quick tests with the oldest versions pyproject.toml allows, in an environment of its own
	@uv=$$(command -v uv || echo $(BIN)/uv); $$uv venv -q --clear .venv-oldest && \
	  $$uv pip install -q -p .venv-oldest/bin/python --resolution lowest-direct -e ".[dev,networks]"
	.venv-oldest/bin/python -m pytest -W default $(QUICK)

mutants: $(ENV) ## change the science a little, thousands of times, and count what no test notices: hours, see docs/mutants.md
	@uv=$$(command -v uv || echo $(BIN)/uv); test -x .venv-mutants/bin/mutmut || { $$uv venv -q --clear .venv-mutants && \
	  $$uv pip install -q -p .venv-mutants/bin/python --require-hashes -r requirements.lock && \
	  $$uv pip install -q -p .venv-mutants/bin/python -e ".[dev,networks,mutants]"; }
	.venv-mutants/bin/mutmut run

help: ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

clean: ## delete the environment, runs and builds
	rm -rf .venv .venv-oldest .venv-mutants mutants runs _build
