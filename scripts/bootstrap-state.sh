#!/usr/bin/env bash
# Apply the shared stack for the first time, and move its state into the storage account that it has just made.
#
#   az login && scripts/bootstrap-state.sh
#
# Needs Terraform or OpenTofu 1.11 (TERRAFORM_BINARY_NAME=tofu names another than `terraform`), and the Azure CLI logged
# in as an Owner of the subscription. Terraform shows its plan and asks before it applies.
#
# Safe to run again, at any time and after any interruption: until the state has arrived in Azure it stays in
# bootstrap.tfstate, beside the Makefile, and the next run goes on from there. Once it has arrived, a run says so and
# changes nothing.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

readonly STACK=cdktf.out/stacks/shared
readonly OVERRIDE=$STACK/bootstrap_override.tf.json
readonly LOCAL_STATE=$PWD/bootstrap.tfstate
readonly TERRAFORM=${TERRAFORM_BINARY_NAME:-terraform}
# A new role assignment takes up to ten minutes to reach the storage account.
# https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected
readonly ATTEMPTS=40
readonly PAUSE_SECONDS=${BOOTSTRAP_PAUSE_SECONDS:-15}

umask 077 # the state holds keys that Azure exports

say() {
  printf '%s\n' "$*"
}

fail() {
  printf 'bootstrap: %s\n' "$*" >&2
  exit 1
}

terraform_in_stack() {
  "$TERRAFORM" -chdir="$STACK" "$@"
}

# Without the override file the backend is the azurerm one that the stack declares.
init_in_azure() {
  rm -f "$OVERRIDE"
  terraform_in_stack init -input=false -no-color "$@" </dev/null
}

init_locally() {
  "$python" -c 'import json, sys; print(json.dumps({"terraform": {"backend": {"local": {"path": sys.argv[1]}}}}))' \
    "$LOCAL_STATE" >"$OVERRIDE"
  terraform_in_stack init -input=false -no-color -reconfigure </dev/null >/dev/null
}

# What identifies a state, as "lineage serial resources"; nothing when there is no resource in it.
describe_state() {
  "$python" -c '
import json, sys
text = sys.stdin.read().strip()
state = json.loads(text) if text else {}
if state.get("resources"):
    print(state["lineage"], state["serial"], len(state["resources"]))'
}

state_in_azure() {
  terraform_in_stack state pull </dev/null | describe_state
}

local_state() {
  if [[ -s $LOCAL_STATE ]]; then
    describe_state <"$LOCAL_STATE"
  fi
}

account_id() {
  az storage account list --subscription "$subscription" --query "[?name=='$account'].id" --output tsv
}

# The account has no keys, so even an Owner of the subscription needs a data role to read or write state in it.
let_me_in() {
  local me
  me=$(az ad signed-in-user show --query id --output tsv)
  say "Granting you Storage Blob Data Contributor on $account."
  az role assignment create --subscription "$subscription" --role "Storage Blob Data Contributor" \
    --assignee-object-id "$me" --assignee-principal-type User --scope "$(account_id)" --output none
}

wait_until_let_in() {
  local attempt output
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    if output=$(init_in_azure -reconfigure 2>&1); then
      return
    fi
    say "The state account does not let you in yet (attempt $attempt of $ATTEMPTS); trying again in $PAUSE_SECONDS s."
    sleep "$PAUSE_SECONDS"
  done
  printf '%s\n' "$output" >&2
  fail "$account does not let you in; the state is safe in $LOCAL_STATE. Run this again."
}

migrate() {
  # Terraform has to know where the state comes from.
  init_locally
  init_in_azure -migrate-state -force-copy >/dev/null ||
    fail "the state could not be moved to $account; it is safe in $LOCAL_STATE. Run this again."
}

finish() {
  rm -f "$OVERRIDE" "$LOCAL_STATE" "$LOCAL_STATE".*
}

make --no-print-directory synth ENV=shared </dev/null
readonly python=.venv/bin/python
"$python" -m operations.preflight --azure-cli bootstrap
settings=$("$python" -c '
from environments import load
shared = load().shared
print(shared.account.subscription_id, shared.names.compose("storage", "state"))')
read -r subscription account <<<"$settings"
readonly subscription account

existing=$(account_id)
here=$(local_state)
there=
if [[ -n $existing ]]; then
  if output=$(init_in_azure -reconfigure 2>&1); then
    there=$(state_in_azure)
  elif [[ -z $here ]]; then
    printf '%s\n' "$output" >&2
    fail "$account exists, and its state cannot be read. You need Storage Blob Data Contributor on it:" \
      "az role assignment create --role 'Storage Blob Data Contributor' --assignee YOU --scope $existing"
  fi
fi

if [[ -n $there ]]; then
  # An interruption after the move leaves both; only a copy of the same state may go.
  if [[ -n $here && ${here%% *} != "${there%% *}" ]]; then
    fail "there is a state in $account and another one in $LOCAL_STATE. Look at both; remove the one that is wrong."
  fi
  finish
  say "The state of the shared stack is in $account already; nothing to do."
  exit
fi
if [[ -n $existing && -z $here ]]; then
  fail "$account exists, but there is no state of it, neither in it nor here. Is somebody else bootstrapping?" \
    "Otherwise import what exists (terraform import), or delete it."
fi

say "Applying the shared stack, with its state in ${LOCAL_STATE##*/}."
init_locally
terraform_in_stack apply
expected=$(local_state)
[[ -n $expected ]] || fail "nothing was applied."

let_me_in
wait_until_let_in
# Never over a state that is there: it was moved by a run that could not be seen to have done so, and may be newer.
moved=$(state_in_azure)
if [[ -z $moved ]]; then
  say "Moving the state into $account."
  migrate
  moved=$(state_in_azure)
fi
[[ ${moved%% *} == "${expected%% *}" && ${moved##* } == "${expected##* }" ]] ||
  fail "the state in $account is not the one that was moved; the original is in $LOCAL_STATE.backup."
finish
say "Done: ${moved##* } resources; the state of the shared stack is in $account."
