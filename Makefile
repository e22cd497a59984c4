# Rationale Studio. `make` alone prints what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# Compiled modules make the second start several times faster; some machines switch them off.
unexport PYTHONDONTWRITEBYTECODE
# The first start on a machine must open the app, not ask for an e-mail address.
export STREAMLIT_SERVER_SHOW_EMAIL_PROMPT = false

# The first Python that is 3.11 or newer; another one: make setup PYTHON=/path/to/python
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
ARGS ?=
# How many processes share the tests; a file of them stays in one.
JOBS ?= 2
BIN := .venv/bin

define need_python
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found: install it, or name one with PYTHON=/path/to/python." >&2; exit 1; }
endef

.PHONY: help
help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make .venv with everything for work on the studio
	$(need_python)
	@"$(PYTHON)" -m scripts.install dev

.PHONY: setup-run
setup-run:
	$(need_python)
	@"$(PYTHON)" -m scripts.install run

.PHONY: run
run: setup-run ## Open the app in the browser, with the keto task in it
	@$(BIN)/studio app $(ARGS)

.PHONY: demo
demo: setup-run ## Do the whole loop on data/keto in the terminal (ARGS=--fast for a part)
	@$(BIN)/studio demo $(ARGS)

.PHONY: browser
browser:
	@$(BIN)/python -m scripts.browser

.PHONY: test
test: setup browser ## Run every test, the journeys in a real browser included
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: test-fast
test-fast: setup ## Run the quick tests only: domain, analysis, house
	@$(BIN)/python -m pytest studio/domain $(wildcard tests/domain tests/analysis tests/house) $(ARGS)

.PHONY: test-peers
test-peers: setup ## Test against servers that others wrote (docs/peers.md)
	@$(BIN)/python -m scripts.peers
	@$(BIN)/python -m pytest tests/peers -m "" $(ARGS)

.PHONY: check
check: setup ## Check format, lint, types and floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m compileall -q studio pages scripts app.py asgi.py

.PHONY: fix
fix: setup ## Format, and mend what the linter can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: setup ## Measure, and write docs/benchmarks.md
	@$(BIN)/python -m scripts.bench $(ARGS)

.PHONY: docs
docs: setup ## Write the generated pages of docs/ anew and check every link
	@$(BIN)/python -m scripts.pages

.PHONY: screenshots
screenshots: setup browser ## Picture every page in every state into screenshots/
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

.PHONY: lock
lock: setup ## Pin the newest versions that pyproject.toml allows in constraints.txt
	@$(BIN)/python -m scripts.lock

.PHONY: clean
clean: ## Remove caches and pictures; keeps .venv and every workspace
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist screenshots site
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
