"""Runs the stand-in alone, for a person with Terraform or curl in another terminal."""

import json
import shlex
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

from environments import Platform
from rehearsal import seed, synthesis
from rehearsal.stand_in import dump
from rehearsal.stand_in.model import Json
from rehearsal.world import World


def serve_world(
    world: World, platform: Platform, environment: str | None, store: Path | None, print_line: Callable[[str], None]
) -> None:
    """Print how to reach the stand-in, and wait until Ctrl-C (KeyboardInterrupt).

    Args:
        world: A world with the stand-in and Azurite. Azurite gets a container for the state of each stack.
        platform: Its settings name the subscription and everything in it.
        environment: What the shared stack makes for this environment is put into the subscription. Without it, the
            subscription is empty.
        store: A dump (`store.json`) whose resources are put there as well.
        print_line: Prints a line.

    Raises:
        OSError: `store` cannot be read.
        ValueError: `store` is no dump of the platform's subscription.
    """
    manager = world.stand_in.resource_manager
    if environment:
        seed.seed_shared(manager, platform)
        seed.seed_environment(manager, platform, platform.environments[environment])
    if store:
        dump.load_store(manager, cast(Json, json.loads(store.read_text(encoding="utf-8"))))
    stacks = [synthesis.synthesize_shared(platform)]
    stacks += [synthesis.synthesize_environment(platform, name) for name in platform.environments]
    world.make_containers(stack["terraform"]["backend"]["azurerm"]["container_name"] for stack in stacks)
    print_line("Azure's stand-in, Azurite and the proxy are running. In another terminal:\n")
    for name, value in make_exports(world).items():
        print_line(f"export {name}={shlex.quote(value)}")
    stack = environment or "shared"
    print_line(
        f"""
terraform -chdir=cdktf.out/stacks/{stack} init && terraform -chdir=cdktf.out/stacks/{stack} plan
curl --cacert "$SSL_CERT_FILE" -H "Authorization: Bearer $ARM_BEARER" "https://$ARM_METADATA_HOSTNAME{dump.PATH}?api-version=0"

The first needs `make synth`. Every host but Azure's is refused: where the provider comes from a registry, do
`terraform init -backend=false` before the exports. The second line shows all that the stand-in holds.
{world.folder}/requests.jsonl has every request. Ctrl-C ends all of it."""
    )
    threading.Event().wait()


def make_exports(world: World) -> dict[str, str]:
    """Return the environment variables with which Terraform, its provider and curl reach the world."""
    # Go never sends requests for this machine's own addresses to a proxy. curl needs NO_PROXY for that.
    return world.make_variables() | {"NO_PROXY": "localhost", "ARM_BEARER": world.endpoint.fetch_token()}
