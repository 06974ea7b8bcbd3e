"""Terraform or OpenTofu on a synthesized stack, cut off from everything but the rehearsal's world."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from operations.terraform.process import StopPolicy
from operations.terraform.runner import Run, Terraform
from rehearsal.stand_in.model import Json

PARALLELISM = "-parallelism=60"
"""The provider spends most of its time waiting for Azure to settle, and waiting side by side costs nothing."""

_FOREIGN = ("ARM_", "TF_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""How the names of variables begin that could lead Terraform to something else than the rehearsal's world."""
_KEPT = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
"""The variables among them that say where the provider is installed."""
_REDIRECTING = ("HTTPS_PROXY", "SSL_CERT_FILE")
"""The variables that lead Terraform to the rehearsal's world, and away from a registry."""
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def isolate_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without what could lead Terraform elsewhere, and with these variables."""
    inherited = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(_FOREIGN)}
    return inherited | {"TF_INPUT": "0"} | dict(variables)


def _restore_registry_access(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an isolated environment with the user's own proxy and certificates instead of the rehearsal's."""
    kept = {name: value for name, value in environment.items() if name not in _REDIRECTING}
    own = {name: value for name, value in os.environ.items() if name.lower() in _PROXIES or name == "SSL_CERT_FILE"}
    return kept | own


@dataclass(frozen=True)
class IsolatedTerraform(Terraform):
    """Terraform in one stack's folder, with an environment from `isolate_environment`."""

    stop_policy: StopPolicy = StopPolicy.KILL_GROUP

    @property
    def plan_file(self) -> Path:
        """The file into which `plan` writes."""
        return self.folder.absolute() / "plan.tfplan"

    def init(self, *arguments: str) -> Run:
        """Install the provider, then initialize the backend.

        These are two steps, because the provider may have to come from a registry, through the user's own proxy, and
        the backend is reached through the rehearsal's proxy.
        """
        if not (self.folder / ".terraform.lock.hcl").exists():
            installer = replace(self, environment=_restore_registry_access(self.environment or {}))
            installation = installer.run("init", "-no-color", "-backend=false")
            if installation.code:
                return installation
        return self.run("init", "-no-color", *arguments)

    def plan(self, *arguments: str) -> Run:
        """Plan into `plan_file`. The exit code is 2 if there are changes."""
        return self.run("plan", "-no-color", "-detailed-exitcode", f"-out={self.plan_file}", PARALLELISM, *arguments)

    def apply(self, *arguments: str, on_line: Callable[[str], None] | None = None) -> Run:
        """Apply without a question, and print an event a line."""
        return self.run("apply", "-json", "-auto-approve", PARALLELISM, *arguments, on_line=on_line)

    def apply_plan(self, *, on_line: Callable[[str], None] | None = None) -> Run:
        """Apply `plan_file`, and print an event a line."""
        return self.apply(str(self.plan_file), on_line=on_line)

    def destroy(self, *arguments: str, on_line: Callable[[str], None] | None = None) -> Run:
        """Destroy everything without a question, and print an event a line."""
        return self.run("destroy", "-json", "-auto-approve", PARALLELISM, *arguments, on_line=on_line)

    def read_plan(self) -> str:
        """Return the plan in `plan_file` as JSON."""
        return self.show_plan(self.plan_file)

    def read_state(self) -> Json:
        """Return the state as the backend has it now."""
        return json.loads(self.pull_state())


def is_provider_missing(init: Run) -> bool:
    """Say whether `init` failed because Terraform finds the provider nowhere."""
    signs = (
        "Failed to query available provider packages",
        "Failed to resolve provider packages",  # OpenTofu
        "no available releases match",
        "Failed to install provider",
    )
    return init.code != 0 and any(sign in init.output for sign in signs)
