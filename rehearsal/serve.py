"""The stand-in alone, for a person with Terraform or curl in another terminal."""

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


def serve(
    world: World, platform: Platform, environment: str | None, store: Path | None, say: Callable[[str], None]
) -> None:
    """Say how to come to the stand-in, and stay until Ctrl-C (KeyboardInterrupt).

    Args:
        world: With the stand-in and Azurite, which gets a container for the state of each stack.
        platform: Its settings name the subscription and all that is in it.
        environment: What the shared stack makes for this one is put there. The subscription is empty without.
        store: A dump (`store.json`) that is put there too.
        say: Prints.

    Raises:
        OSError: `store` cannot be read.
        ValueError: `store` is no dump of the platform's subscription.
    """
    manager = world.stand_in.resource_manager
    if environment:
        seed.shared(manager, platform)
        seed.environment(manager, platform, platform.environments[environment])
    if store:
        dump.load_store(manager, cast(Json, json.loads(store.read_text(encoding="utf-8"))))
    stacks = [synthesis.shared(platform), *(synthesis.environment(platform, name) for name in platform.environments)]
    world.make_containers(stack["terraform"]["backend"]["azurerm"]["container_name"] for stack in stacks)
    say("Azure's stand-in, Azurite and the proxy are running. In another terminal:\n")
    for name, value in exports(world).items():
        say(f"export {name}={shlex.quote(value)}")
    stack = environment or "shared"
    say(
        f"""
terraform -chdir=cdktf.out/stacks/{stack} init && terraform -chdir=cdktf.out/stacks/{stack} plan
curl --cacert "$SSL_CERT_FILE" -H "Authorization: Bearer $ARM_BEARER" "https://$ARM_METADATA_HOSTNAME{dump.PATH}?api-version=0"

The first needs `make synth`. Every host but Azure's is refused: where the provider comes from a registry, do
`terraform init -backend=false` before the exports. The second line shows all that the stand-in holds.
{world.folder}/requests.jsonl has every request. Ctrl-C ends all of it."""
    )
    threading.Event().wait()


def exports(world: World) -> dict[str, str]:
    """What Terraform, its provider and curl need to come here."""
    # Go leaves this machine's own addresses out of what it sends to a proxy; curl does so when it is told.
    return world.environment() | {"NO_PROXY": "localhost", "ARM_BEARER": world.endpoint.token()}
