.DEFAULT_GOAL := help
SHELL := /bin/sh

# A uv that runs here, or one of our own under .tools/.
UV := $(shell cd backend && if uv --version >/dev/null 2>&1; then command -v uv; else echo $(CURDIR)/.tools/bin/uv; fi)
UV_VERSION := 0.13.9
VENV := backend/.venv/bin
INSTALLED := backend/.venv/.installed
ISSUER := backend/tests/better_auth

.PHONY: help
help:  ## list these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(INSTALLED)  ## start PostgreSQL and the API on http://127.0.0.1:8000
	@exec $(VENV)/tasks dev --data .data

.PHONY: token
token: $(INSTALLED)  ## print a token to try the API with (USER_ID=somebody for another user)
	@exec $(VENV)/tasks token --data .data $(USER_ID)

.PHONY: test
test: $(INSTALLED) issuer  ## run all tests on a real PostgreSQL, and print the coverage
	@cd backend && .venv/bin/pytest --numprocesses 2 --cov --cov-report=term $(ARGS)

.PHONY: check
check: $(INSTALLED)  ## check format, lint and types
	@cd backend && .venv/bin/ruff format --check && .venv/bin/ruff check && .venv/bin/mypy

.PHONY: format
format: $(INSTALLED)  ## format the code, and mend what the linter can
	@cd backend && .venv/bin/ruff format && .venv/bin/ruff check --fix

.PHONY: clean
clean:  ## remove what was installed; the data under .data/ stays
	rm -rf .tools backend/.venv $(ISSUER)/node_modules

# The Better Auth server of the tests. Without Node the tests that need it say so when they end.
.PHONY: issuer
issuer:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(ISSUER)/node_modules/.package-lock.json; fi

$(ISSUER)/node_modules/.package-lock.json: $(ISSUER)/package-lock.json
	cd $(ISSUER) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(INSTALLED): backend/uv.lock backend/pyproject.toml backend/.python-version | $(UV)
	cd backend && $(UV) sync --locked --quiet
	@touch $@

$(CURDIR)/.tools/bin/uv:
	@python3 -m venv $(CURDIR)/.tools || { echo "Python's venv module is missing: install python3-venv, or uv." >&2; exit 1; }
	$(CURDIR)/.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
