#!/usr/bin/env bash
# Apply the shared stack for the first time, and move its state into the storage account that it creates:
#
#   az login && scripts/bootstrap-state.sh
#
# operations/bootstrap.py does the work, and says what it needs. It can be run again at any time.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

make --no-print-directory synth ENV=shared </dev/null
exec .venv/bin/python -m operations.bootstrap
