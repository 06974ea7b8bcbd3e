# `make` alone prints the targets. Needs Python 3.11+ (PYTHON=... names one) and make; everything else is installed, pinned,
# into .venv, .venv-check and node_modules. All paths are relative, so that a checkout may lie in a path with a space.

PYTHON ?= python3
RUN := .venv/bin/python
CHECK := .venv-check/bin

# Another active environment and a user's Python settings have no say in what runs here.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONOPTIMIZE
# Nobody here is told of new versions of the tools, or counted by them.
export CHECKPOINT_DISABLE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help
help: # Print the targets
	@sed -n 's/^\([a-z-]*\):[^#]*# \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

.PHONY: synth
synth: setup # Synthesize all stacks into cdktf.out, or one of them: make synth ENV=staging
	@$(RUN) -m scripts.synth $(if $(ENV),"$(ENV)")

.PHONY: test
test: setup-dev # Run all tests
	@$(RUN) -m pytest

.PHONY: snapshots
snapshots: setup-dev # Accept what the code synthesizes now as the snapshots that the tests compare with
	@$(RUN) -m pytest tests/constructs_lib tests/stacks --snapshot-update

.PHONY: lock
lock: setup-check # Pin requirements*.txt anew from pyproject.toml
	@$(CHECK)/python -m scripts.lock

.PHONY: clean
clean: # Remove everything that make has built or installed
	@rm -rf .venv .venv-check node_modules cdktf.out .pytest_cache .ruff_cache .hypothesis

.PHONY: setup setup-dev setup-check
setup:
	@"$(PYTHON)" scripts/setup_venv.py .venv requirements.txt
setup-dev: setup
	@"$(PYTHON)" scripts/setup_venv.py .venv requirements.txt requirements-dev.txt
setup-check:
	@"$(PYTHON)" scripts/setup_venv.py .venv-check requirements-check.txt
