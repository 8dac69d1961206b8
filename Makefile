# Two commands do everything: `make book` and `make test`. Both make the environment first.
PYTHON ?= python3
BIN := .venv/bin
ENV := .venv/.installed

.PHONY: book test env lock lint unit notebooks check clean

book: $(ENV)
	$(BIN)/lsa run quick
	$(BIN)/lsa book quick

test: $(ENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q lsa_helpers tests
	$(BIN)/lsa check
	$(BIN)/pytest -q

env: $(ENV)

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

lock:
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.12 --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv runs _build
