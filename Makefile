# The two commands: `make up` runs the main job on this machine, `make test` runs everything that must pass.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
UPGRADE ?=

.PHONY: up setup extras kerberos compiled setup-dev test lint types unit system measure figures bytecode packages bench fuzz soak lock clean help

help: ## Show these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

up: setup ## Start a site, a gateway and a connection point here, and let devices use them (ARGS="--once")
	@$(BIN)/causeway up $(ARGS)

setup: $(VENV)/.runtime ## Make .venv with the pinned dependencies and the package

extras: $(VENV)/.extras ## Add the extras: Azure, directories, DNS services

kerberos: $(VENV)/.kerberos ## Add Kerberos for directories; builds it, which takes half a minute and libkrb5-dev

compiled: $(VENV)/.compiled ## Compile the data path into .venv/compiled; needs gcc, and takes half a minute

setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "error: no virtual environment can be made; on Debian: apt-get install python3-venv" >&2; exit 2; }

$(VENV)/.runtime: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing the pinned dependencies into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.extras: $(VENV)/.runtime requirements-extras.lock
	@echo "Installing the pinned extras into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-extras.lock
	@touch $@

# Glue code: to optimise it takes a minute and gains nothing.
$(VENV)/.kerberos: $(VENV)/.runtime requirements-kerberos.lock requirements-kerberos-build.lock
	@command -v krb5-config >/dev/null && command -v gcc >/dev/null || \
	  { echo "error: Kerberos is built here, and needs packages; on Debian: apt-get install gcc python3-dev libkrb5-dev" >&2; exit 2; }
	@echo "Building Kerberos into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-kerberos-build.lock
	@CFLAGS="-O0 -g0" $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation \
	  -r requirements-kerberos.lock
	@touch $@

# A copy is compiled, so that no compiled module lies beside its source and goes on standing for it.
$(VENV)/.compiled: $(VENV)/.runtime requirements-compile.lock $(shell find causeway -name '*.py')
	@command -v gcc >/dev/null || { echo "error: gcc is needed; on Debian: apt-get install gcc python3-dev" >&2; exit 2; }
	@echo "Compiling the data path into $(VENV)/compiled …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-compile.lock
	@rm -rf $(VENV)/source $(VENV)/compiled && mkdir $(VENV)/source
	@cp -r causeway pyproject.toml README.md LICENSE $(VENV)/source
	@HATCH_BUILD_HOOK_ENABLE_MYPYC=true $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --target $(VENV)/compiled $(VENV)/source
	@rm -rf $(VENV)/source
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing the pinned development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

test: setup-dev packages lint types unit system measure ## Lint, types, and all tests; sets up what is missing

lint: setup-dev ## Style and import rules
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache

types: setup-dev ## mypy, strict
	@$(BIN)/mypy

unit: setup-dev ## Tests without sockets
	@$(BIN)/pytest -q -n 2 tests/unit

system: setup-dev packages kerberos compiled bytecode ## Tests with real processes
	@$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not measures" tests/system

measure: setup-dev packages compiled bytecode ## System tests that measure times and memory, one by one, 4 to 6 minutes
	@$(BIN)/pytest -q -m measures tests/system

figures: setup-dev packages compiled ## Measure what floods cost, and write it into docs/reliability.md
	@CAUSEWAY_WRITE_FIGURES=1 $(BIN)/pytest -q -m measures tests/system/reliability/test_floods.py

# The tests start hundreds of processes. Where Python is told to write no bytecode, each would compile everything anew.
bytecode: setup-dev
	@$(BIN)/python -m compileall -q causeway tests

packages: ## Install the Debian packages that the system tests use
	@tests/system/install-packages

bench: setup-dev compiled ## Measure beside the peers, about 15 minutes (QUICK=1: under 4); writes bench/results
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(ARGS)

fuzz: $(VENV)/.fuzz ## Fuzz every reader of outside bytes for a bounded time (ARGS="--seconds 60")
	@$(BIN)/python -m fuzz $(ARGS)

soak: setup-dev compiled ## Ten minutes of churn, with the memory of every process watched (ARGS="--seconds 60")
	@$(BIN)/python -m soak $(ARGS)

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.lock
	@echo "Installing the pinned fuzzer into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	@touch $@

EXTRAS := --extra azure --extra directory --extra dns-providers --extra postgresql

lock: ## Pin the dependencies (needs uv on the path; UPGRADE=--upgrade takes newer versions)
	uv pip compile pyproject.toml --extra postgresql --group build --generate-hashes --universal --python-version 3.11 \
	  $(UPGRADE) --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o requirements.lock
	uv pip compile pyproject.toml $(EXTRAS) --group build --constraint requirements.lock --generate-hashes --universal \
	  --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o requirements-extras.lock
	uv pip compile pyproject.toml $(EXTRAS) --group build --group dev --constraint requirements.lock --generate-hashes --universal \
	  --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o requirements-dev.lock
	echo "pyspnego[kerberos]" | uv pip compile - --constraint requirements-extras.lock --generate-hashes --universal \
	  --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o requirements-kerberos.lock
	uv pip compile --group kerberos-build --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o requirements-kerberos-build.lock
	uv pip compile --group build --group compile --constraint requirements-dev.lock --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o requirements-compile.lock
	uv pip compile --group fuzz --generate-hashes --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o requirements-fuzz.lock

clean: ## Remove what was set up here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
