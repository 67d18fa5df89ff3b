.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := backend/.venv/bin
INSTALLED := backend/.venv/.installed
ISSUER := backend/tests/better_auth

OWN_UV := .tools/bin/uv
UV_VERSION := 0.13.9
# Commands start more than twice as fast, also where Python may not keep the bytecode itself.
export UV_COMPILE_BYTECODE := 1
# Whoever has authorities of their own, such as a company's proxy, has them here.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem),1,0)

.PHONY: help
help:  ## list these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: $(INSTALLED)  ## start PostgreSQL and the API on http://127.0.0.1:8000
	@cd backend && exec .venv/bin/tasks dev --data ../.data

.PHONY: token
token: $(INSTALLED)  ## print a token to try the API with (USER_ID=somebody for another user)
	@cd backend && exec .venv/bin/tasks token --data ../.data $(if $(USER_ID),"$(USER_ID)")

.PHONY: test
test: $(INSTALLED) issuer  ## run all tests on a real PostgreSQL, and print the coverage
	@cd backend && .venv/bin/pytest --numprocesses 3 --dist worksteal --cov --cov-report=term $(ARGS)

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

# By a uv that runs in backend/, where a pyenv may have another idea of it, or by one of our own.
# What is said on the way goes to standard error: `make token` is read by programs.
$(INSTALLED): backend/uv.lock backend/pyproject.toml backend/.python-version
	@(cd backend && uv --version) >/dev/null 2>&1 || $(MAKE) --no-print-directory $(OWN_UV)
	@echo "Installing what the backend needs ..." >&2
	@cd backend && if uv --version >/dev/null 2>&1; then uv=uv; else uv=../$(OWN_UV); fi && $$uv sync --locked --quiet
	@touch $@

$(OWN_UV):
	@echo "Installing uv into .tools/ ..." >&2
	@if python3 -c 'import ensurepip' 2>/dev/null; then \
		python3 -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	elif python3 -m pip --version >/dev/null 2>&1; then \
		python3 -m pip install --quiet --disable-pip-version-check --target .tools uv==$(UV_VERSION); \
	else \
		echo "There is neither uv nor a python3 with its venv module here. Install python3-venv (Debian, Ubuntu)" \
			"or uv (https://docs.astral.sh/uv), and try again." >&2; exit 1; \
	fi
