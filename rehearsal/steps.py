"""The rehearsal's steps, in order. Each does one thing to an environment, checks it, and says what it saw."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from environments import Environment, Platform
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.report import Report
from operations.terraform.events import ResourceEvent, SummaryEvent, find_errors, read_events
from operations.terraform.plan import Verb
from operations.terraform.runner import Run
from operations.terraform.state import find_state_lock
from rehearsal import seed, synthesis, timeline
from rehearsal.progress import Progress, clock_time
from rehearsal.stand_in.model import Json
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World

DATABASE = "azurerm_postgresql_flexible_server.database_server"
LOCK_WAIT = "3s"
"""How long the second apply waits for the state's lease."""


class StepError(Exception):
    """A step did not go as it must, with what Terraform or the guard said."""


class Row(NamedTuple):
    """One line of the closing table."""

    step: str
    stack: str
    resources: int
    terraform: float
    """Seconds that Terraform and its provider took."""
    ours: float
    """The rest of the step's seconds."""
    result: str


@dataclass
class Rehearsal:
    """One environment's life."""

    world: World
    platform: Platform
    name: str
    progress: Progress
    output: Path
    """Where the timeline is written."""
    rows: list[Row] = field(default_factory=list[Row])
    _terraform: float = 0.0

    def step(self, name: str, stack: str, work: Callable[[], tuple[int, str]]) -> None:
        """Do one step and note its row; `work` gives how many resources it was about, and its result."""
        self._terraform, started = 0.0, time.monotonic()
        resources, result = work()
        whole = time.monotonic() - started
        self.rows.append(
            Row(name, stack, resources, round(self._terraform, 1), round(whole - self._terraform, 1), result)
        )
        self.progress.say(f"{name} ({stack}): {result}; {clock_time(whole)}")

    def ran(self, run: Run, *codes: int) -> Run:
        """The run, if it ended with one of these codes (0 by default)."""
        self._terraform += run.seconds
        if run.code not in (codes or (0,)):
            said = "\n".join(find_errors(run.output)) or run.output[-4000:]
            raise StepError(said)
        return run

    # The shared stack

    def bootstrap(self) -> tuple[int, str]:
        """Apply the shared stack with local state, then move that into the storage account which it made."""
        body = synthesis.shared(self.platform)
        local = self.world.stack("shared", body, local_state=True)
        self.ran(local.init())
        applied = self.ran(local.apply(on_line=self.progress.saw))
        self.world.make_containers(_containers(local.read_state(), self.world.accounts[0]))
        azure = self.world.stack("shared", body)
        self.ran(azure.run("init", "-no-color", "-migrate-state", "-force-copy"))
        _expect_no_changes(self.ran(azure.plan(), 0, 2))
        return _made(applied), f"{_made(applied)} resources; state moved into Azure Storage; second plan empty"

    # An environment

    def terraform(self, body: Json | None = None) -> IsolatedTerraform:
        """What works on the environment, as synthesized or as `body` has it, as its pipeline's apply job would."""
        endpoint, settings = self.world.endpoint, self.platform.environments[self.name]
        apply = endpoint.login(seed.workflow(endpoint.subscription, self.platform, settings, "apply"))
        return self.world.stack(self.name, body or synthesis.environment(self.platform, self.name), identity=apply)

    def apply(self) -> tuple[int, str]:
        """Init, validate, plan, guard, apply; then draw the timeline."""
        stack = self.terraform()
        self.ran(stack.init())
        self.ran(stack.run("validate", "-no-color"))
        self.ran(stack.plan(), 2)
        report = self.guard(stack)
        if not report.nothing_lost:
            raise StepError(report.text())
        self.progress.resources(sum(1 for each in report.plan.managed if each.verb))
        applied = self.ran(stack.apply_plan(on_line=self.progress.saw))
        scheduled = timeline.bars(stack.read_state(), self._durations(applied.output))
        text = "\n".join(timeline.as_text(scheduled))
        self.output.mkdir(parents=True, exist_ok=True)
        (self.output / f"timeline-{self.name}.txt").write_text(text + "\n", encoding="utf-8")
        title = f"{self.name}: from an empty resource group to a running environment"
        (self.output / f"timeline-{self.name}.svg").write_text(timeline.as_svg(scheduled, title), encoding="utf-8")
        self.progress.say(text)
        return _made(applied), f"{_made(applied)} resources; {timeline.summary(scheduled)}"

    def second_plan(self) -> tuple[int, str]:
        """Nothing is left to do."""
        _expect_no_changes(self.ran(self.terraform().plan(), 0, 2))
        return 0, "the second plan is empty"

    def change(self) -> tuple[int, str]:
        """A changed setting is planned as a change in place."""
        stack = self.terraform(synthesis.environment(self.platform, self.name, synthesis.with_daily_cap))
        self.ran(stack.plan(), 2)
        report = self.guard(stack)
        changed = [each for each in report.plan.managed if each.verb]
        if {each.verb for each in changed} != {Verb.CHANGE} or not report.nothing_lost:
            raise StepError(report.text())
        return len(changed), f"in place: {', '.join(each.address for each in changed)}"

    def replacement(self) -> tuple[int, str]:
        """A replacement of the database is refused by Terraform, and by the guard where nothing protects it."""
        body = synthesis.environment(self.platform, self.name, synthesis.with_other_geo_backup)
        planned = self.ran(self.terraform(body).plan(), 1)
        if "prevent_destroy" not in planned.output:
            raise StepError(planned.output[-4000:])
        stack = self.terraform(synthesis.unprotected(body))
        self.ran(stack.plan(), 2)
        report = self.guard(stack)
        if DATABASE not in [each.resource.address for each in report.refused]:
            raise StepError(f"The guard let a replacement of the database pass:\n{report.text()}")
        return len(report.refused), "refused by prevent_destroy and, without it, by the plan guard"

    def contention(self) -> tuple[int, str]:
        """While one apply holds the state, a second waits and is told who; the first is killed, and nothing is lost."""
        stack = self.terraform(synthesis.environment(self.platform, self.name, synthesis.with_daily_cap))
        before = len(_addresses(stack.read_state()))
        self.ran(stack.init())
        with stack.start("apply", "-json", "-auto-approve") as first:
            _wait_for(first, "apply_start")
            second = self.ran(stack.run("apply", "-no-color", "-auto-approve", f"-lock-timeout={LOCK_WAIT}"), 1)
        lock = find_state_lock(second.output)
        if lock is None:
            raise StepError(second.output[-4000:])
        self.ran(stack.run("force-unlock", "-force", lock.id))
        self.ran(stack.apply())
        _expect_no_changes(self.ran(stack.plan(), 0, 2))
        after = _addresses(stack.read_state())
        if len(after) != before:
            raise StepError(f"{before} resources before the apply was killed, {len(after)} after it")
        return before, f"the second waited {LOCK_WAIT} and was told of {lock.holder}; killed, unlocked, converged"

    def destroy(self) -> tuple[int, str]:
        """Refused of an environment that is protected; done of a copy whose settings declare it disposable."""
        blocked = self.ran(self.terraform().destroy(), 1)
        if "prevent_destroy" not in blocked.output:
            raise StepError(blocked.output[-4000:])
        settings = self._copy()
        if settings is None:
            return 0, "blocked by prevent_destroy; production sizing cannot be declared disposable"
        ground = seed.ground(self.world.endpoint.subscription, self.platform, settings)
        for path in ground:
            self.world.endpoint.ask("PUT", path, {"location": "eastus2"})
        before = self.world.inventory(ground[:2])
        body = synthesis.environment(self.platform, self.name, lambda _: settings)
        copy = self.world.stack("copy", body, local_state=True)
        self.ran(copy.init())
        applied = self.ran(copy.apply(on_line=self.progress.saw))
        self.progress.resources(self.plan_to_destroy(copy, settings))
        self.ran(copy.apply_plan(on_line=self.progress.saw))
        left = {path for path in self.world.inventory(ground[:2]) - before if "/deletedvaults/" not in path}
        if left:
            raise StepError(f"Left behind: {', '.join(sorted(left))}")
        result = "blocked by prevent_destroy; a disposable copy applied and destroyed, and nothing was left"
        return _made(applied), result

    def plan_to_destroy(self, copy: IsolatedTerraform, settings: Environment) -> int:
        """Plan the end of a copy, which the guard lets pass for its flag alone; gives how many resources go."""
        self.ran(copy.plan("-destroy"), 2)
        environments = {**self.platform.environments, settings.name: settings}
        place = StackTarget.from_settings(
            settings.name, self.platform.model_copy(update={"environments": environments})
        )
        shown = copy.read_plan()
        report, kept = (Guard(each).judge_json(shown) for each in (place, place._replace(disposable=False)))
        if not report.nothing_lost or DATABASE not in [each.resource.address for each in kept.refused]:
            raise StepError(f"The guard does not go by the flag `disposable`:\n{report.text()}")
        return len(report.plan.select(Verb.DESTROY))

    def guard(self, stack: IsolatedTerraform) -> Report:
        """What the plan guard says of the stack's plan."""
        return Guard(StackTarget.from_settings(self.name, self.platform)).judge_json(stack.read_plan())

    def expected(self, step: str) -> float:
        """How many seconds a step takes, going by those that were seen."""
        return STEPS["second_plan" if step == "destroy" and self._copy() is None else step]

    def _copy(self) -> Environment | None:
        """The settings of a disposable copy; None for production sizing."""
        try:
            return synthesis.disposable_copy(self.platform.environments[self.name])
        except ValueError:
            return None

    def _durations(self, applied: str) -> dict[str, float]:
        if self.world.own is None:
            return timeline.durations(applied)
        manager = self.world.own.resource_manager
        return timeline.durations(applied, manager.finished_operations, seconds_per_minute=manager.seconds_per_minute)


STEPS = {
    "bootstrap": 155,
    "apply": 290,
    "second_plan": 15,
    "change": 15,
    "replacement": 30,
    "contention": 35,
    "destroy": 450,
}
"""The steps in their order, and the seconds that each took of dev on two cores, most of them the provider's waiting."""


def run(rehearsal: Rehearsal, last: str | None) -> None:
    """Every step, or those up to and including `last`. Raises StepError."""
    names = list(STEPS)[: list(STEPS).index(last) + 1 if last else None]
    seconds = [rehearsal.expected(name) for name in names]
    for index, name in enumerate(names):
        work: Callable[[], tuple[int, str]] = getattr(rehearsal, name)
        said, stack = name.replace("_", " "), "shared" if name == "bootstrap" else rehearsal.name
        title = f"[{index + 1}/{len(names)}] {said} ({stack})"
        with rehearsal.progress.step(title, seconds[index], sum(seconds[index + 1 :])):
            rehearsal.step(said, stack, work)


def _expect_no_changes(planned: Run) -> None:
    if planned.code:
        raise StepError(f"The second plan is not empty:\n{planned.output[-4000:]}")


def _made(applied: Run) -> int:
    summaries = [event.changes for event in read_events(applied.output) if isinstance(event, SummaryEvent)]
    return summaries[-1].add


def _addresses(state: Json) -> list[str]:
    return [f"{each['type']}.{each['name']}" for each in state["resources"] if each["mode"] == "managed"]


def _containers(state: Json, account: str) -> list[str]:
    instances = (each["instances"] for each in state["resources"] if each["type"] == "azurerm_storage_container")
    made = [instance["attributes"] for each in instances for instance in each]
    return [str(each["name"]) for each in made if str(each["storage_account_id"]).endswith(f"/{account}")]


def _wait_for(process: subprocess.Popen[str], type_: str) -> None:
    for line in process.stdout or ():
        if any(isinstance(event, ResourceEvent) and event.type == type_ for event in read_events(line)):
            return
    raise StepError(f"The apply ended before '{type_}'.")
