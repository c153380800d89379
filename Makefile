# The only door: people and CI run the same targets. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q
NPM := codegen/sdk/typescript/node_modules/.ready
PYRIGHT := tests/sdk/pyright/node_modules/.ready
.PHONY: help setup run serve generate contract-lint check-generated sdk sdk-ts sdk-ts-tools documents check lint types test fuzz oracle drills attacks mutants bench browser

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.venv/.ready: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: .venv/.ready ## Make the virtual environment with the locked versions

# The machine's node and npm, or those of PyPI where it has none.
export PATH := $(PATH):$(CURDIR)/$(BIN)
.venv/.node: .venv/.ready
	@command -v node >/dev/null && command -v npm >/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[node]'
	@touch $@

# What npm installs is locked beside each package.json.
%/node_modules/.ready: %/package-lock.json .venv/.node
	@cd $* && npm ci --silent
	@touch $@

sdk-ts-tools: $(NPM) $(PYRIGHT) ## Install the locked npm packages that write the TypeScript SDK and judge the Python one

sdk-ts: setup $(NPM) ## Generate the TypeScript client into dist/ (OPTIONS="--spec FILE --name NAME")
	@$(BIN)/python -m codegen.cli sdk --language typescript $(OPTIONS)

run: setup ## Serve on the embedded database (ACCORD_BIND, ACCORD_WORKERS, ACCORD_DATABASE_URL, ACCORD_PROFILE)
	@$(BIN)/accord serve

serve: setup ## Serve as in production: the same with ACCORD_PROFILE=production (needs ACCORD_SECRET_KEYS)
	@ACCORD_PROFILE=production $(BIN)/accord serve

generate: setup ## Compile spec/ into models/contract and handlers/bindings.py
	@$(BIN)/python -m codegen.cli generate

sdk: setup ## Generate the Python client of the contract: dist/accord_client-….whl, and the vectors that prove it: dist/vectors.json
	@$(BIN)/python -m codegen.cli sdk --output dist
	@$(BIN)/python -m codegen.cli vectors > dist/vectors.json

contract-lint: setup ## Judge spec/ by the rules of codegen/structure and codegen/lint (OPTIONS="--against OLD.json": breaks nobody)
	@$(BIN)/python -m codegen.cli lint $(OPTIONS)

check-generated: setup ## Generated files are what the contract compiles to
	@$(BIN)/python -m codegen.cli generate --check

documents: setup ## Write the tables of README.md and docs/errors.md from the code
	@$(BIN)/python -m tests.structure.documents

lint: setup ## Style
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup ## mypy --strict
	@MYPY_FORCE_TERMINAL_WIDTH=400 $(BIN)/mypy

# Tests that start servers or wait for deadlines; `make test` runs them.
WITHOUT_PROCESSES := $(addprefix --ignore=tests/unit/,test_postgres.py models/test_migrate.py \
	$(addprefix server/,test_worker.py test_streams.py test_jobs.py test_cli.py))

check: lint types contract-lint check-generated ## What every commit must pass: style, types, fresh output, structure, fast tests
	@$(PYTEST) -m "not whole and not long" --backend sqlite tests/structure tests/unit tests/codegen tests/mutants $(WITHOUT_PROCESSES)

test: setup $(NPM) $(PYRIGHT) ## All tests, on SQLite and on a PostgreSQL of their own
	@$(BIN)/python -m compileall -q codegen core handlers models server  # once, also where PYTHONDONTWRITEBYTECODE is set
	@$(PYTEST) -n 2 --dist worksteal --timeout 600 -m "not long"

# Long runs stop by themselves: --timeout is for each test, one that needs longer says so in its `timeout` mark.
fuzz: setup ## Every phase of Schemathesis against running servers, at least 25,000 cases per database (ACCORD_TEST_FUZZ_CASES)
	@$(PYTEST) -s -m long --timeout 9000 tests/fuzz

oracle: setup ## 100,000 drawn requests: our decoder and openapi-core give one verdict (ACCORD_TEST_ORACLE_INSTANCES)
	@$(PYTEST) -s -m long --timeout 3600 tests/contract

drills: setup $(NPM) ## Kill workers, cut streams, restart the database, 10,000 calls of each client behind a bad proxy (ACCORD_TEST_CHAOS_CALLS)
	@$(PYTEST) -s -m long --timeout 1200 tests/drills tests/sdk

.venv/.attacks: .venv/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,attacks]'
	@touch $@

browser: ## Install Debian's chromium, as root, for the test of the TypeScript client in a page; without a browser it is skipped
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium)

attacks: .venv/.attacks ## Attack a server of our own on the loopback interface: slow senders, smuggling, spraying, odd values, sqlmap
	@$(PYTEST) -s -m long --timeout 600 tests/attacks

mutants: setup ## Seeded faults in handlers and pipeline: how many does the suite catch (a sample; ALL=1; SEED=n; WORDS="csrf core/chat")
	@nice -n 5 $(BIN)/python -m tests.mutants $(if $(ALL),--all) $(if $(SEED),--seed $(SEED)) $(WORDS)

.venv/.bench: .venv/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	@touch $@

bench: .venv/.bench ## Measure against other stacks (PARTS="http sql limits start streams sdk", OPTIONS="--rounds 3 --seconds 4")
	@$(BIN)/python -m tests.bench $(PARTS) $(OPTIONS)
