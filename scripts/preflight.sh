# shellcheck shell=bash
# What a command needs before it reaches Azure: sourced by scripts/cdktf and scripts/bootstrap-state.sh, whose `fail`
# says what is missing, in one line, and exits.

# 1.11 is the first with write-only arguments, which keep the database's first password out of the state.
require_terraform() {
  if ! [[ $("$1" version 2>/dev/null) =~ v([0-9]+)\.([0-9]+) ]]; then
    fail "needs Terraform or OpenTofu 1.11 or newer, and '$1' does not run." \
      "Install one; TERRAFORM_BINARY_NAME=tofu names another."
  elif ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] < 1011)); then
    fail "needs Terraform or OpenTofu 1.11 or newer; '$1' is ${BASH_REMATCH[0]}."
  fi
}

require_login() {
  command -v az >/dev/null || fail "needs the Azure CLI: https://learn.microsoft.com/cli/azure/install-azure-cli"
  az account show --output none 2>/dev/null || fail "the Azure CLI is not logged in: az login"
}

refuse_placeholder() {
  [[ $1 != 00000000-* ]] || fail "the subscription is still the placeholder: fill in environments/shared.py"
}
