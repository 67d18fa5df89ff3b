.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := backend/.venv/bin
INSTALLED := backend/.venv/.installed
ISSUER := backend/tests/better_auth
GENERATORS := backend/tests/clients
PEER := backend/benchmarks/fastify

MODULES := frontend/node_modules/.package-lock.json
BUILT := frontend/.next/.built
DESCRIPTION := backend/openapi.json
API_TYPES := frontend/src/lib/api-types.ts
# What a build depends on. The folders too, because their times change when a file is removed.
SOURCES := src public package-lock.json next.config.ts postcss.config.mjs tsconfig.json
# Whether Node is new enough for the front end. `tasks dev` checks the same, and says so if it is not.
NODE := command -v npm >/dev/null 2>&1 && node -e \
	'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null
# In CI a missing Node is a failure.
NOT_RUN = { echo "NOT RUN: $(1) Node 20.19 or newer."; test -z "$$CI"; }
export NEXT_TELEMETRY_DISABLED := 1
# Writes to standard error alone, because programs read what `make -s token` prints.
PROGRESS := "$(CURDIR)/scripts/with-progress"

OWN_UV := .tools/bin/uv
UV_VERSION := 0.13.9
# Commands start more than twice as fast, even where Python cannot write bytecode itself.
export UV_COMPILE_BYTECODE := 1
# Nor should each worker of the tests, and each command that they start, compile everything once more.
export PYTHONDONTWRITEBYTECODE :=
# Where certificate authorities of one's own are installed, such as those of a company's proxy.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem),1,0)

# What somebody writes after `make` reaches commands as it is: neither make nor the shell expands it.
override USER_ID := $(value USER_ID)
override PACKAGE := $(value PACKAGE)
export USER_ID PACKAGE

.PHONY: help
help:  ## list these tasks
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: $(INSTALLED) built  ## start everything: PostgreSQL, the API and, with Node, the front end
	@cd backend && exec .venv/bin/tasks dev --by-make --data ../.data --frontend ../frontend

.PHONY: dev
dev: $(INSTALLED) modules  ## the same, with a front end that reloads when its sources change
	@cd backend && exec .venv/bin/tasks dev --by-make --data ../.data --frontend ../frontend --watch

.PHONY: token
token: $(INSTALLED)  ## print a token to try the API with (USER_ID=bob or you@example.com for another user)
	@cd backend && exec .venv/bin/tasks token --data ../.data -- $${USER_ID:+"$$USER_ID"}

# One file after the other for each worker, so that what the tests of a file share is started once.
IN_PARALLEL := --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: test
# The coverage has a floor, for a run of all tests.
test: $(INSTALLED) issuer built  ## run the tests on a real PostgreSQL, and print the coverage
	@cd backend && .venv/bin/pytest $(IN_PARALLEL) --cov --cov-report=term \
		$(if $(ARGS),--cov-fail-under=0,$$($(NODE) || echo --cov-fail-under=0)) $(ARGS)
ifndef ARGS
	@if test -n "$$CITUS_URL"; then cd backend && .venv/bin/pytest --on-citus --quiet tests/integration; \
		else echo "NOT RUN: the integration tests on Citus need CITUS_URL, a database of a coordinator."; fi
	@if $(NODE); then cd frontend && npx next typegen >/dev/null && npx tsc --noEmit && npm test --silent; \
		else $(call NOT_RUN,the front end's type check and tests need); fi
endif

.PHONY: e2e
e2e: $(INSTALLED) built generators  ## start and stop whole installations, and use the front end in a real browser
	@$(NODE) || { echo "The browser tests need Node 20.19 or newer." >&2; exit 1; }
	@{ test -n "$$CHROMIUM" || command -v chromium || command -v chromium-browser || command -v google-chrome || \
		test -x "$$(cd frontend && node -p 'require("@playwright/test").chromium.executablePath()')"; } >/dev/null || { \
		echo "There is no Chromium here. Install one (Debian, Ubuntu: apt-get install chromium), name its program in" \
			"CHROMIUM, or run: cd frontend && npx playwright install chromium" >&2; exit 1; }
ifndef ARGS
	@cd backend && .venv/bin/pytest $(IN_PARALLEL) tests/e2e
endif
	@cd frontend && npx playwright test $(ARGS)

.PHONY: chaos
chaos: $(INSTALLED)  ## break the database and the service under load, and compare the answers with the tables
	@cd backend && exec .venv/bin/python -m chaos $(ARGS)

.PHONY: check
check: $(INSTALLED) modules  ## check format, lint, types, structure, and the API's description for breaking changes
	@cd backend && .venv/bin/ruff format --check && .venv/bin/ruff check && .venv/bin/mypy && \
		{ output=$$(.venv/bin/lint-imports --no-logo --no-cache 2>&1) || { echo "$$output" >&2; exit 1; }; }
	@cd backend && new=$$(mktemp) && trap 'rm -f "$$new"' EXIT && .venv/bin/tasks openapi >"$$new" && \
		cmp -s "$$new" openapi.json || { \
		echo "$(DESCRIPTION) is out of date. Run \`make openapi\`." >&2; exit 1; }
	@cd backend && .venv/bin/python -m tooling.breaking
	@if $(NODE); then $(MAKE) --no-print-directory check-frontend; \
		else $(call NOT_RUN,the checks of the front end need); fi

.PHONY: check-frontend
check-frontend:
	@node frontend/scripts/check-locks.mjs \
		$$(find . -name node_modules -prune -o -name '.?*' -prune -o -name package-lock.json -print)
	@cd frontend && npm run --silent check
	@types=$$(mktemp -d) && trap 'rm -rf "$$types"' EXIT && $(call WRITE_API_TYPES,"$$types/api-types.ts") && \
		cmp -s "$$types/api-types.ts" $(API_TYPES) || { \
		echo "$(API_TYPES) is out of date. Run \`make openapi\`." >&2; exit 1; }

.PHONY: openapi
openapi: $(INSTALLED) modules  ## write the API's description, and the front end's types from it
	@cd backend && trap 'rm -f openapi.json.new' EXIT && .venv/bin/tasks openapi >openapi.json.new && \
		mv openapi.json.new openapi.json
	@$(NODE) || { echo "Writing the front end's types needs Node 20.19 or newer." >&2; exit 1; }
	@$(call WRITE_API_TYPES,"$(CURDIR)/$(API_TYPES)")

# What has a default may be left out of a request.
WRITE_API_TYPES = (cd frontend && \
	node_modules/.bin/openapi-typescript ../$(DESCRIPTION) --default-non-nullable false --output $(1) >/dev/null)

.PHONY: structure
structure: $(INSTALLED)  ## draw the backend's structure from its imports, as DOT (PACKAGE=backend.http for a part)
	@cd backend && .venv/bin/import-linter drawgraph -- "$${PACKAGE:-backend}"

.PHONY: bench
bench: $(INSTALLED) $(PEER)/node_modules/.package-lock.json  ## measure the speed beside others (ARGS="--help")
	@$(call INSTALL_GROUP,bench)
	@cd backend && exec .venv/bin/python -m benchmarks $(ARGS)

.PHONY: docs
docs: $(INSTALLED)  ## build the documentation's site in .docs/site, and check its links
	@$(call INSTALL_GROUP,docs)
	@$(PAGES)
	@$(VENV)/zensical build --strict --clean
	@env PYTHONPATH=backend $(VENV)/python -m tooling.links .docs/site

.PHONY: docs-serve
docs-serve: $(INSTALLED)  ## show the documentation's site while you write it
	@$(call INSTALL_GROUP,docs)
	@exec $(PAGES) $(VENV)/zensical serve $(ARGS)

PAGES = env PYTHONPATH=backend $(VENV)/python -m tooling.pages . .docs/pages

.PHONY: format
format: $(INSTALLED)  ## format the code, and mend what the linter can
	@cd backend && .venv/bin/ruff format && .venv/bin/ruff check --fix
	@if $(NODE) && test -d frontend/node_modules; then cd frontend && npm run --silent format; fi

.PHONY: clean
clean:  ## remove what was installed; the data under .data/ stays
	rm -rf .tools .cache .docs backend/.venv $(ISSUER)/node_modules $(GENERATORS)/node_modules $(PEER)/node_modules \
		frontend/node_modules frontend/.next frontend/*.tsbuildinfo

# The front end's packages, and its build. Without a new enough Node these do nothing.
.PHONY: modules
modules:
	@if $(NODE); then $(MAKE) --no-print-directory --silent $(MODULES); fi

# Compared by `find` instead of by rules, because make misreads names such as (app)/[...all].
.PHONY: built
built: modules
	@$(NODE) && { test ! -e $(BUILT) || (cd frontend && find $(SOURCES) -newer ../$(BUILT)) | grep -q .; } || exit 0; \
		rm -f $(BUILT); cd frontend && $(PROGRESS) "Building the front end" npm run build && touch ../$(BUILT)

$(MODULES): frontend/package-lock.json
	@cd frontend && $(PROGRESS) "Installing what the front end needs" \
		npm ci --no-audit --no-fund --no-progress --no-update-notifier --loglevel=error
	@touch $@

# The Better Auth server of the tests. Without Node the tests that need it say so when they end.
.PHONY: issuer
issuer:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(ISSUER)/node_modules/.package-lock.json; fi

$(ISSUER)/node_modules/.package-lock.json: $(ISSUER)/package-lock.json
	@cd $(ISSUER) && $(PROGRESS) "Installing the Better Auth server of the tests" \
		npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# What the tests make clients with.
.PHONY: generators
generators:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(GENERATORS)/node_modules/.package-lock.json; fi

$(GENERATORS)/node_modules/.package-lock.json: $(GENERATORS)/package-lock.json
	@cd $(GENERATORS) && $(PROGRESS) "Installing the generator of TypeScript clients" \
		npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PEER)/node_modules/.package-lock.json: $(PEER)/package-lock.json
	@npm --version >/dev/null || { echo "The benchmark needs Node 20 or newer with npm." >&2; exit 1; }
	cd $(PEER) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# With the uv of the machine if it runs in backend/ (a pyenv may shadow it), else with our own. Again if somebody
# has since installed without the development tools.
$(INSTALLED): backend/uv.lock backend/pyproject.toml backend/.python-version $(if $(wildcard $(VENV)/pytest),,FORCE)
	@(cd backend && uv --version) >/dev/null 2>&1 || $(MAKE) --no-print-directory $(OWN_UV)
	@$(call SYNC,env UV_PYTHON="$(PYTHON)" $(PROGRESS) "Installing what the backend needs")
	@touch $@

# With what a single task needs. The next one of these may take it away again.
INSTALL_GROUP = ($(call SYNC) --group $(1))
SYNC = cd backend && if uv --version >/dev/null 2>&1; then uv=uv; else uv=../$(OWN_UV); fi && $(1) $$uv sync --locked --quiet

# An environment that works keeps its Python. A new one gets the newest that uv finds, which need not be the first in
# PATH; if uv finds none, it downloads one. Of backend/.python-version uv itself reads the first line only, which is a
# range. The versions below it are for pyenv and for this.
PYTHON = $${UV_PYTHON:-$$(.venv/bin/python -V >/dev/null 2>&1 || for version in $$(sed 1d .python-version); do \
	$$uv python find --no-python-downloads "$$version" 2>/dev/null && break; done)}

.PHONY: FORCE
FORCE:

$(OWN_UV):
	@if python3 -c 'import ensurepip' 2>/dev/null; then \
		$(PROGRESS) "Installing uv into .tools/" sh -c 'python3 -m venv .tools && \
			.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)'; \
	elif python3 -m pip --version >/dev/null 2>&1; then \
		$(PROGRESS) "Installing uv into .tools/" \
			python3 -m pip install --quiet --disable-pip-version-check --target .tools uv==$(UV_VERSION); \
	else \
		echo "There is neither uv nor a python3 with its venv module here. Install python3-venv (Debian, Ubuntu)" \
			"or uv (https://docs.astral.sh/uv), and try again." >&2; exit 1; \
	fi
