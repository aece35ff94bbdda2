# Everything is installed inside this folder (.venv/, node_modules/) and pinned by hash. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The first interpreter that is new enough; override with `make PYTHON=/path/to/python …`.
PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST_ARGS ?= -n auto

# Stamps. The development install contains the smaller one, so it touches both: whoever tests can also run.
NODE_INSTALL := $(VENV)/.ready-node
DEV_INSTALL := $(VENV)/.ready-dev
RUN_TOOLS := node_modules/.ready-run
DEV_TOOLS := node_modules/.ready-dev

# Two installs into one folder at the same time would break each other; the tests use all cores by themselves.
.NOTPARALLEL:
.PHONY: help run demo vc-api test check format docs bench faults gas contracts slither clean bench-peers

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Ganache is one of the larger tools that only tests need: asked for by name, they are installed.
run: $(NODE_INSTALL) $(if $(findstring ganache,$(ARGS)),$(DEV_TOOLS),$(RUN_TOOLS)) ## a registry on this machine, with samples; keeps running (ARGS="--port 8090 --chain ganache")
	@$(BIN)/python scripts/run.py $(ARGS)

demo: $(NODE_INSTALL) $(RUN_TOOLS) ## a finite run that issues, anchors, verifies and tampers, then counts (BULK=10000 for more revocations)
	@$(BIN)/python scripts/demo.py $(if $(BULK),--bulk $(BULK))

vc-api: $(NODE_INSTALL) ## a VC API server for a conformance run: an issuer for every suite, verifier, DID resolver (ARGS="--documents MAP.json --port 8081")
	@$(BIN)/python scripts/vc_api_server.py $(ARGS)

test: $(DEV_INSTALL) $(DEV_TOOLS) ## the whole test tree (PYTEST_ARGS="tests/unit -x" for a part of it)
	@$(BIN)/pytest $(PYTEST_ARGS)

check: $(DEV_INSTALL) build/types/.ready ## format, lint, types, architecture
	@$(BIN)/ruff format --check --quiet . || { echo "make check: run 'make format'" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy -p testamur.registry -p testamur.node
	@$(BIN)/pytest -q tests/test_architecture.py

format: $(DEV_INSTALL) ## rewrite Python sources the way `make check` wants them
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

docs: $(NODE_INSTALL) ## rewrite the reference pages that are made from the code
	@$(BIN)/python scripts/write_reference.py

contracts: $(DEV_INSTALL) $(DEV_TOOLS) ## rebuild the contracts, compare with the committed ABI and bytecode, run forge's tests
	@$(BIN)/python scripts/export_abi.py --check
	@$(BIN)/python scripts/make_proofs.py
	@scripts/forge test

gas: $(DEV_INSTALL) $(DEV_TOOLS) ## what anchoring costs on chain, beside its budget
	@$(BIN)/python scripts/gas_report.py

slither: $(DEV_TOOLS) ## audit the contracts with slither, in an environment of its own
	@scripts/slither.sh

faults: $(DEV_INSTALL) $(RUN_TOOLS) ## the crash table: break a registry at every step, start it again, and look (FAULTS_ARGS="credential --every 5")
	@$(BIN)/python scripts/faults/run.py $(FAULTS_ARGS)

bench: $(DEV_INSTALL) $(DEV_TOOLS) ## ours, raw limit, ratio and goal of every budget (BENCH_ARGS="--quick")
	@$(BIN)/python scripts/bench/run.py $(BENCH_ARGS)

bench-peers: $(DEV_INSTALL) ## other systems beside ours, installed into build/peers/ (BENCH_ARGS="--quick")
	@$(BIN)/python scripts/bench_peers/run.py $(BENCH_ARGS)

clean: ## remove what was built and what ran (var/); keeps the installs
	@rm -rf build dist var *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis contracts/out contracts/cache
	@find registry node scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is missing. Debian, Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "make: $(PYTHON) cannot make a virtual environment. Debian, Ubuntu: apt-get install python3-venv" >&2; exit 1; }

# Hashes first, then the project itself without any resolution: what runs is what the lock says. The build tools go in
# before the rest because one dependency is only published as source.
define install
	@echo "installing $(1) into $(VENV)/"
	@$(PIP) install --require-hashes -r requirements-build.lock
	@$(PIP) install --no-build-isolation --require-hashes -r $(1) || { \
		echo "make: if that was plyvel: on Python 3.13 and newer it is compiled." \
			"Debian, Ubuntu: apt-get install g++ python3-dev libleveldb-dev" >&2; exit 1; }
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $(2)
endef

$(NODE_INSTALL): requirements-node.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(call install,requirements-node.lock,$(NODE_INSTALL))

$(DEV_INSTALL): requirements-dev.lock requirements-node.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(call install,requirements-dev.lock,$(NODE_INSTALL) $(DEV_INSTALL))

# `npm ci` empties node_modules/ first, so a stamp inside it cannot outlive what it stands for.
define npm-install
	@command -v npm >/dev/null || { echo "make: npm is missing. Debian, Ubuntu: apt-get install nodejs npm" >&2; exit 1; }
	@test "$$(uname -sm)" = "Linux x86_64" || { \
		echo "make: the embedded development chain is packaged for Linux x86_64 only; verifying works everywhere" >&2; exit 1; }
	@echo "installing package-lock.json into node_modules/"
	@npm ci --ignore-scripts --silent $(1)
	@touch $(2)
endef

$(RUN_TOOLS): package-lock.json
	$(call npm-install,--omit=dev,$(RUN_TOOLS))

$(DEV_TOOLS): package-lock.json
	$(call npm-install,,$(RUN_TOOLS) $(DEV_TOOLS))

# mypy cannot follow an editable install of a namespace package: it reads this link tree (mypy_path in pyproject.toml).
build/types/.ready: Makefile
	@mkdir -p build/types/testamur
	@ln -sfn ../../../registry build/types/testamur/registry
	@ln -sfn ../../../node build/types/testamur/node
	@touch $@
