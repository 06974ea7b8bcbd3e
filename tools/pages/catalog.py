"""The list of all generated blocks: which page has it, and what writes it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from constructs_lib.app_settings import read_app_settings
from environments import load
from tools.pages.alerts import read_alerts, render_alerts
from tools.pages.blocks import Block
from tools.pages.contracts import render_app_settings, render_ci_rights, render_outputs, render_trusted_subjects
from tools.pages.costs import render_costs, sum_costs
from tools.pages.data_model import read_settings_models, render_settings_models
from tools.pages.readme import render_environments, render_synth_output
from tools.pages.sensitive import render_sensitive
from tools.pages.stacks import TerraformJson, walk_resources


def list_blocks(stacks: Mapping[str, TerraformJson]) -> list[Block]:
    """Return every generated block. Paths are relative to the repository's folder, which commands run in.

    Args:
        stacks: The synthesized stacks, by name.
    """
    environments = load().environments
    costs = sum_costs(stacks)
    shared = stacks["shared"]
    readme = Path("README.md")
    outputs, ci_identity = Path("docs/contracts/outputs.md"), Path("docs/contracts/ci-identity.md")
    texts = {
        (readme, "environments"): render_environments(environments, costs),
        (Path("docs/research.md"), "costs"): render_costs(stacks, environments),
        (Path("docs/data-model.md"), "settings"): render_settings_models(read_settings_models()),
        (Path("docs/contracts/application.md"), "settings"): render_app_settings(read_app_settings()),
        (outputs, "an environment's outputs"): render_outputs(stacks["production"]),
        (outputs, "the shared stack's outputs"): render_outputs(shared),
        (ci_identity, "trust"): render_trusted_subjects(shared),
        (ci_identity, "rights"): render_ci_rights(shared),
        (ci_identity, "who reads what"): render_sensitive(shared, stacks["production"]),
        (Path("docs/operations/README.md"), "alerts"): render_alerts(read_alerts(walk_resources(stacks))),
    }
    blocks = [Block(page, name, partial(_replace_all, text)) for (page, name), text in texts.items()]
    return [*blocks, Block(readme, "synth", partial(render_synth_output, stacks))]


def _replace_all(text: str, _present: str) -> str:
    """Return a block's new text, whatever the page has at present."""
    return text
