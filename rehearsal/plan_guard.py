"""The plan guard: says in words what a plan will do, and refuses one that loses what cannot be made again.

    terraform plan -out=production.tfplan
    python -m rehearsal.plan_guard stamp production.tfplan --environment production > production.stamp.json
    terraform show -json production.tfplan | python -m rehearsal.plan_guard check - --environment production \
        --plan production.tfplan --stamp production.stamp.json

Exit codes: 0 nothing lost; 3 refused; 2 the plan cannot be read.
"""

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, JsonValue, ValidationError

from environments import SettingsError, load

PROTECTED = {
    "azurerm_postgresql_flexible_server": "holds the database and its backups",
    "azurerm_postgresql_flexible_server_database": "holds data",
    "azurerm_storage_account": "holds data, and its name is known elsewhere",
    "azurerm_storage_container": "holds data or Terraform's state",
    "azurerm_key_vault": "holds secrets",
    "azurerm_managed_redis": "holds sessions",
    "azurerm_log_analytics_workspace": "holds logs",
    "azurerm_container_registry": "holds images",
    "azurerm_dns_zone": "its name servers are known to the parent zone",
    "azurerm_static_web_app": "its host name is known elsewhere",
    "azurerm_communication_service": "its keys and linked domain are in use",
    "azurerm_email_communication_service": "holds the mail domain",
    "azurerm_email_communication_service_domain": "its verification would have to be done again",
    "azurerm_resource_group": "takes all that is in it along",
    "azurerm_user_assigned_identity": "its client id is known elsewhere",
    "azurerm_cdn_frontdoor_endpoint": "its host name is known elsewhere",
    "azurerm_management_lock": "protects what it stands on",
}
"""Types whose loss is refused, and why."""

MAXIMUM_AGE = timedelta(hours=24)
REFUSED, UNREADABLE = 3, 2

Action = Literal["no-op", "create", "read", "update", "delete", "forget"]
Verb = Literal["create", "change", "replace", "destroy", "forget"]


class Change(BaseModel):
    """What happens to one resource. https://developer.hashicorp.com/terraform/internals/json-format#change-representation."""

    actions: tuple[Action, ...]
    before: dict[str, JsonValue] | None = None
    after: dict[str, JsonValue] | None = None
    after_unknown: JsonValue = None
    before_sensitive: JsonValue = None
    after_sensitive: JsonValue = None
    replace_paths: list[list[str | int]] = []


class ResourceChange(BaseModel):
    """A resource and what happens to it."""

    address: str
    type: str
    change: Change
    deposed: str | None = None

    @property
    def verb(self) -> Verb | None:
        """In a reader's words; None for what stays as it is."""
        actions = set(self.change.actions)
        if {"create", "delete"} <= actions:
            return "replace"
        verbs: dict[Action, Verb] = {"create": "create", "update": "change", "delete": "destroy", "forget": "forget"}
        return next((verbs[action] for action in self.change.actions if action in verbs), None)


class Plan(BaseModel):
    """The parts of `terraform show -json PLAN` that are read here."""

    format_version: Annotated[str, Field(pattern=r"^1\.")]
    timestamp: AwareDatetime
    resource_changes: list[ResourceChange] = []
    errored: bool = False
    complete: bool = True


class Stamp(BaseModel):
    """What a plan file is, written down when it is made."""

    environment: str
    commit: str
    sha256: str


def attribute_changes(change: Change) -> Iterator[str]:
    """One line per attribute: old and new, never a sensitive value."""
    before, after = change.before or {}, change.after or {}
    unknown = change.after_unknown if isinstance(change.after_unknown, dict) else {}
    for name in sorted({*before, *after, *unknown}):
        old, new = before.get(name), after.get(name)
        known = not unknown.get(name)
        if known and old == new and name in after:
            continue
        if _sensitive(change.before_sensitive, name) or _sensitive(change.after_sensitive, name):
            yield f"{name}: (sensitive)"
        elif before:
            yield f"{name}: {_written(old)} -> {_written(new) if known else '(known after apply)'}"
        else:
            yield f"{name}: {_written(new) if known else '(known after apply)'}"


def _sensitive(marks: JsonValue, name: str) -> bool:
    """A mark is true for the whole attribute, or a structure with true somewhere in it."""
    mark = marks.get(name) if isinstance(marks, dict) else marks
    return _any_true(mark)


def _any_true(mark: JsonValue) -> bool:
    if isinstance(mark, dict):
        return any(_any_true(each) for each in mark.values())
    if isinstance(mark, list):
        return any(_any_true(each) for each in mark)
    return mark is True


def _written(value: JsonValue) -> str:
    text = '"' + value + '"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def describe(plan: Plan) -> Iterator[str]:
    """The plan in words: a summary, then everything that is not a mere creation attribute by attribute."""
    changes = [(each.verb, each) for each in plan.resource_changes if each.verb]
    for verb in ("create", "change", "replace", "destroy", "forget"):
        count = sum(1 for each, _ in changes if each == verb)
        if count:
            yield f"{count} to {verb}"
    if not changes:
        yield "No changes."
    for verb, resource in sorted(changes, key=lambda pair: (pair[0], pair[1].address)):
        yield f"{verb} {resource.address}"
        if verb in ("change", "replace"):
            yield from (f"    {line}" for line in attribute_changes(resource.change))
        for path in resource.change.replace_paths:
            yield f"    cannot be changed in place: {'.'.join(map(str, path))}"


def losses(plan: Plan, allowed: Sequence[str]) -> Iterator[str]:
    """Why the plan is refused: each protected resource that it would lose and that nobody named."""
    for resource in plan.resource_changes:
        lost = resource.verb in ("replace", "destroy", "forget") and resource.type in PROTECTED
        if lost and resource.address not in allowed:
            yield (
                f"{resource.address} would be lost ({resource.verb}): it {PROTECTED[resource.type]}. "
                f"If that is meant: --allow-loss '{resource.address}'"
            )


def mismatches(plan: Plan, environment: str, now: datetime) -> Iterator[str]:
    """Why this plan is not one to apply to this environment now."""
    if plan.errored or not plan.complete:
        yield "The plan is not a whole one: Terraform could not finish it."
    age = now - plan.timestamp
    if age > MAXIMUM_AGE or age < -timedelta(minutes=5):
        yield f"The plan was made at {plan.timestamp:%Y-%m-%d %H:%M} UTC; make a new one after {MAXIMUM_AGE}."
    for resource in plan.resource_changes:
        tags = (resource.change.after or resource.change.before or {}).get("tags")
        named = tags.get("environment") if isinstance(tags, dict) else None
        # The shared stack makes the environments' groups and identities, with their tags.
        if named not in (None, environment) and environment != "shared":
            yield f"The plan is one of {named!r}, not of {environment!r}: see the tags of {resource.address}."
            return


def stamp_mismatches(stamp: Stamp, plan_file: Path, environment: str, commit: str) -> Iterator[str]:
    """Why the plan file is not the one that was stamped for this environment and commit."""
    if stamp.environment != environment:
        yield f"The plan was made for {stamp.environment!r}, not for {environment!r}."
    if stamp.commit != commit:
        yield f"The plan was made from commit {stamp.commit}; this is {commit}."
    if stamp.sha256 != digest(plan_file):
        yield f"{plan_file} is not the file that was stamped: its hash differs."


def digest(file: Path) -> str:
    """The file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def head() -> str:
    """The commit that is checked out."""
    git = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True)  # noqa: S607
    return git.stdout.strip()


def is_disposable(environment: str) -> bool:
    """True where the settings declare that the environment may go."""
    settings = load().environments.get(environment)
    return settings is not None and settings.disposable


def check(arguments: argparse.Namespace) -> int:
    """Read a plan, say what it does, and give the exit code."""
    try:
        text = sys.stdin.read() if arguments.plan_json == "-" else Path(arguments.plan_json).read_text(encoding="utf-8")
        plan = Plan.model_validate_json(text)
        stamp = Stamp.model_validate_json(arguments.stamp.read_text(encoding="utf-8")) if arguments.stamp else None
        disposable = is_disposable(arguments.environment)
    except (OSError, ValidationError, SettingsError) as error:
        print(f"The plan cannot be read: {error}", file=sys.stderr)
        return UNREADABLE
    print("\n".join(describe(plan)))
    refusals = list(mismatches(plan, arguments.environment, datetime.now(UTC)))
    if stamp:
        refusals += stamp_mismatches(stamp, arguments.plan, arguments.environment, arguments.commit or head())
    if not disposable:
        refusals += losses(plan, arguments.allow_loss)
    for refusal in refusals:
        print(f"REFUSED: {refusal}", file=sys.stderr)
    return REFUSED if refusals else 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="plan_guard", description="Says what a plan does; refuses what loses data.")
    commands = parser.add_subparsers(required=True)
    stamping = commands.add_parser("stamp", help="write down what a plan file is")
    stamping.add_argument("plan", type=Path, help="the plan file")
    stamping.add_argument("--environment", required=True)
    stamping.add_argument("--commit", help="default: the one checked out")
    stamping.set_defaults(run=_stamp)
    checking = commands.add_parser("check", help="say what a plan does, and refuse what loses data")
    checking.add_argument("plan_json", help="`terraform show -json PLAN`, or - for standard input")
    checking.add_argument("--environment", required=True)
    checking.add_argument("--allow-loss", action="append", default=[], metavar="ADDRESS")
    checking.add_argument("--stamp", type=Path, help="with --plan: what the plan file was stamped as")
    checking.add_argument("--plan", type=Path, help="the plan file itself")
    checking.add_argument("--commit", help="default: the one checked out")
    checking.set_defaults(run=check)
    arguments = parser.parse_args(argv)
    if getattr(arguments, "stamp", None) and not arguments.plan:
        parser.error("--stamp needs --plan")
    return arguments.run(arguments)


def _stamp(arguments: argparse.Namespace) -> int:
    stamp = Stamp(environment=arguments.environment, commit=arguments.commit or head(), sha256=digest(arguments.plan))
    print(stamp.model_dump_json(indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
