"""The rehearsal's steps. Each does one thing to a stack, checks the outcome, and returns what it saw."""

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
from rehearsal import seed, synthesis
from rehearsal.progress import Progress, format_clock
from rehearsal.stand_in.model import Json
from rehearsal.terraform import IsolatedTerraform
from rehearsal.timeline import describe, measure_minutes, schedule_bars, summarize
from rehearsal.timeline_picture import draw_svg
from rehearsal.world import World

SHARED = "shared"
DATABASE = "azurerm_postgresql_flexible_server.database_server"
LOCK_WAIT = "3s"
"""How long the second apply waits for the lock on the state."""
BLOCKED_DESTROY_SECONDS = 15
"""How long the step `destroy` takes if there is no disposable copy, so that it only plans."""


class StepError(Exception):
    """A step had another outcome than it must have. The message is what Terraform or the guard printed."""


class StepResult(NamedTuple):
    """The outcome of a step."""

    resources: int
    """How many resources the step was about."""
    text: str


class StepRow(NamedTuple):
    """One row of the table at the end."""

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
    """The rehearsal of one environment's life."""

    world: World
    platform: Platform
    name: str
    """The environment's name."""
    progress: Progress
    output: Path
    """The folder into which the timeline is written."""
    rows: list[StepRow] = field(default_factory=list[StepRow])
    _terraform_seconds: float = 0.0

    def do_step(self, step: "Step") -> None:
        """Do one step, and add its row. Raises StepError if it has another outcome than it must have."""
        self._terraform_seconds, started = 0.0, time.monotonic()
        resources, text = step.run(self)
        seconds = time.monotonic() - started
        stack = self.get_stack_name(step)
        terraform, ours = round(self._terraform_seconds, 1), round(seconds - self._terraform_seconds, 1)
        self.rows.append(StepRow(step.title, stack, resources, terraform, ours, text))
        self.progress.print_line(f"{step.title} ({stack}): {text}; {format_clock(seconds)}")

    def get_stack_name(self, step: "Step") -> str:
        """Return the name of the stack that a step works on."""
        return step.stack or self.name

    def estimate_seconds(self, step: "Step") -> float:
        """Return how many seconds a step is expected to take for this environment."""
        if step.run is Rehearsal.destroy and self._make_disposable_copy() is None:
            return BLOCKED_DESTROY_SECONDS
        return step.seconds

    def expect_code(self, run: Run, *codes: int) -> Run:
        """Return the run if it ended with one of these exit codes (default: 0), or raise StepError."""
        self._terraform_seconds += run.seconds
        if run.code not in (codes or (0,)):
            raise StepError("\n".join(find_errors(run.output)) or run.output[-4000:])
        return run

    # The step of the shared stack

    def bootstrap(self) -> StepResult:
        """Apply the shared stack with local state, then move the state into the storage account that it made."""
        body = synthesis.synthesize_shared(self.platform)
        local = self.world.write_stack(SHARED, body, local_state=True)
        self.expect_code(local.init())
        apply = self.expect_code(local.apply(on_line=self.progress.follow_line))
        self.world.make_containers(_list_containers(local.read_state(), self.world.accounts[0]))
        azure = self.world.write_stack(SHARED, body)
        self.expect_code(azure.run("init", "-no-color", "-migrate-state", "-force-copy"))
        _expect_no_changes(self.expect_code(azure.plan(), 0, 2))
        count = _count_added(apply)
        return StepResult(count, f"{count} resources; state moved into Azure Storage; second plan empty")

    # The steps of an environment

    def apply(self) -> StepResult:
        """Init, validate, plan, judge the plan and apply it. Then draw the timeline."""
        stack = self.write_stack()
        self.expect_code(stack.init())
        self.expect_code(stack.run("validate", "-no-color"))
        self.expect_code(stack.plan(), 2)
        report = self.judge_plan(stack)
        if not report.may_be_applied:
            raise StepError(report.format_text())
        self.progress.expect_resources(sum(1 for resource in report.plan.managed if resource.verb))
        apply = self.expect_code(stack.apply_plan(on_line=self.progress.follow_line))
        bars = schedule_bars(stack.read_state(), self._measure_minutes(apply))
        text = "\n".join(describe(bars))
        self.output.mkdir(parents=True, exist_ok=True)
        (self.output / f"timeline-{self.name}.txt").write_text(text + "\n", encoding="utf-8")
        title = f"{self.name}: from an empty resource group to a running environment"
        (self.output / f"timeline-{self.name}.svg").write_text(draw_svg(bars, title), encoding="utf-8")
        self.progress.print_line(text)
        count = _count_added(apply)
        return StepResult(count, f"{count} resources; {summarize(bars)}")

    def plan_again(self) -> StepResult:
        """Check that the second plan is empty."""
        _expect_no_changes(self.expect_code(self.write_stack().plan(), 0, 2))
        return StepResult(0, "the second plan is empty")

    def pass_phases(self) -> StepResult:
        """Apply each later phase of the domain and of the mail, and then the settings as they are written.

        Every second plan has to be empty. A person's part, the verification of the mail domain, is done in between.
        """
        environment, entered = self.platform.environments[self.name], 0
        for phase, changed in {**synthesis.list_phases(environment), "as written": environment}.items():
            stack = self.write_stack(self._synthesize(lambda _, changed=changed: changed))
            apply = self.expect_code(stack.apply(on_line=self.progress.follow_line))
            entered += _count_added(apply)
            _expect_no_changes(self.expect_code(stack.plan(), 0, 2))
            self.progress.print_line(f"{phase}: applied, and the second plan is empty")
            if self.world.own_stand_in:
                seed.verify_mail(self.world.own_stand_in.resource_manager)
        return StepResult(
            entered, "host names beside, first and only, mail verified, and back; every second plan is empty"
        )

    def change(self) -> StepResult:
        """Check that a changed setting is planned as a change in place."""
        stack = self.write_stack(self._synthesize(synthesis.raise_daily_cap))
        self.expect_code(stack.plan(), 2)
        report = self.judge_plan(stack)
        changes = [resource for resource in report.plan.managed if resource.verb]
        if {resource.verb for resource in changes} != {Verb.CHANGE} or not report.may_be_applied:
            raise StepError(report.format_text())
        return StepResult(len(changes), f"in place: {', '.join(resource.address for resource in changes)}")

    def replace_database(self) -> StepResult:
        """Check that Terraform refuses to replace the database, and that the guard does so if nothing protects it."""
        body = self._synthesize(synthesis.switch_geo_backup)
        plan = self.expect_code(self.write_stack(body).plan(), 1)
        _expect_prevent_destroy(plan)
        stack = self.write_stack(synthesis.remove_prevent_destroy(body))
        self.expect_code(stack.plan(), 2)
        report = self.judge_plan(stack)
        if DATABASE not in [loss.address for loss in report.refused]:
            raise StepError(f"The guard let a replacement of the database pass:\n{report.format_text()}")
        return StepResult(len(report.refused), "refused by prevent_destroy and, without it, by the plan guard")

    def contend(self) -> StepResult:
        """Check that a second apply waits for the first and is told who holds the state.

        Then the first apply is killed, and the state is unlocked. A third apply has to converge and lose nothing.
        """
        stack = self.write_stack(self._synthesize(synthesis.raise_daily_cap))
        before = _count_managed(stack.read_state())
        self.expect_code(stack.init())
        with stack.start("apply", "-json", "-auto-approve") as first:
            _wait_until_applying(first)
            arguments = ["-no-color", "-auto-approve", f"-lock-timeout={LOCK_WAIT}"]
            second = self.expect_code(stack.run("apply", *arguments), 1)
        lock = find_state_lock(second.output)
        if lock is None:
            raise StepError(second.output[-4000:])
        self.expect_code(stack.run("force-unlock", "-force", lock.id))
        self.expect_code(stack.apply())
        _expect_no_changes(self.expect_code(stack.plan(), 0, 2))
        after = _count_managed(stack.read_state())
        if after != before:
            raise StepError(f"{before} resources before the apply was killed, {after} after it")
        text = f"the second waited {LOCK_WAIT} and was told of {lock.holder}; killed, unlocked, converged"
        return StepResult(before, text)

    def destroy(self) -> StepResult:
        """Check that a protected environment cannot be destroyed, and that a disposable copy of it can.

        There is no copy for production sizing, because the settings do not allow it to be disposable.
        """
        _expect_prevent_destroy(self.expect_code(self.write_stack().destroy(), 1))
        environment = self._make_disposable_copy()
        if environment is None:
            return StepResult(0, "blocked by prevent_destroy; production sizing cannot be declared disposable")
        prerequisites = seed.list_prerequisites(self.world.endpoint.subscription, self.platform, environment)
        for path, location in prerequisites.items():
            self.world.endpoint.request("PUT", path, {"location": location})
        groups = list(prerequisites)[:2]
        before = self.world.list_resource_ids(groups)
        copy = self.world.write_stack("copy", self._synthesize(lambda _: environment), local_state=True)
        self.expect_code(copy.init())
        apply = self.expect_code(copy.apply(on_line=self.progress.follow_line))
        self.progress.expect_resources(self.plan_to_destroy(copy, environment))
        self.expect_code(copy.apply_plan(on_line=self.progress.follow_line))
        remaining = {path for path in self.world.list_resource_ids(groups) - before if "/deletedvaults/" not in path}
        if remaining:
            raise StepError(f"Left behind: {', '.join(sorted(remaining))}")
        text = "blocked by prevent_destroy; a disposable copy applied and destroyed, and nothing was left"
        return StepResult(_count_added(apply), text)

    # What the steps share

    def write_stack(self, body: Json | None = None) -> IsolatedTerraform:
        """Write the environment's stack, and return Terraform with the identity of its pipeline's apply job.

        Args:
            body: Its Terraform JSON. The default is what its settings synthesize.
        """
        endpoint, environment = self.world.endpoint, self.platform.environments[self.name]
        identity = seed.compose_identity_path(endpoint.subscription, self.platform, environment, "apply")
        login = endpoint.make_login_variables(identity)
        return self.world.write_stack(self.name, body or self._synthesize(), identity=login)

    def judge_plan(self, stack: IsolatedTerraform) -> Report:
        """Return the plan guard's report on the stack's plan."""
        return Guard(StackTarget.from_settings(self.name, self.platform)).judge_json(stack.read_plan())

    def plan_to_destroy(self, copy: IsolatedTerraform, environment: Environment) -> int:
        """Plan to destroy a copy, and return how many resources the plan destroys.

        The guard has to let the plan pass, and to refuse it if the copy were not declared disposable.
        """
        self.expect_code(copy.plan("-destroy"), 2)
        environments = {**self.platform.environments, environment.name: environment}
        platform = self.platform.model_copy(update={"environments": environments})
        target = StackTarget.from_settings(environment.name, platform)
        plan = copy.read_plan()
        report = Guard(target).judge_json(plan)
        report_if_kept = Guard(target._replace(disposable=False)).judge_json(plan)
        refused = [loss.address for loss in report_if_kept.refused]
        if not report.may_be_applied or DATABASE not in refused:
            raise StepError(f"The guard does not go by the flag `disposable`:\n{report.format_text()}")
        return len(report.plan.select(Verb.DESTROY))

    def _synthesize(self, change: Callable[[Environment], Environment] = lambda environment: environment) -> Json:
        """Return the environment's Terraform JSON, from its settings or from what `change` returns for them."""
        return synthesis.synthesize_environment(self.platform, self.name, change)

    def _make_disposable_copy(self) -> Environment | None:
        """Return the settings of a disposable copy, or None for production sizing."""
        try:
            return synthesis.make_disposable_copy(self.platform.environments[self.name])
        except ValueError:
            return None

    def _measure_minutes(self, apply: Run) -> dict[str, float]:
        """Return how long each resource takes. Another endpoint than the stand-in does not say Azure's time."""
        if self.world.own_stand_in is None:
            return measure_minutes(apply.output)
        manager = self.world.own_stand_in.resource_manager
        operations, seconds_per_minute = manager.finished_operations, manager.seconds_per_minute
        return measure_minutes(apply.output, operations, seconds_per_minute=seconds_per_minute)


class Step(NamedTuple):
    """A step of the rehearsal."""

    name: str
    """The name for `--step`."""
    stack: str | None
    """The stack that it works on. None stands for the environment's own."""
    seconds: float
    """How long it took for dev on two cores. Most of this time is the provider's waiting."""
    run: Callable[[Rehearsal], StepResult]

    @property
    def title(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")


STEPS = (
    Step("bootstrap", SHARED, 155, Rehearsal.bootstrap),
    Step("apply", None, 290, Rehearsal.apply),
    Step("second_plan", None, 15, Rehearsal.plan_again),
    Step("phases", None, 330, Rehearsal.pass_phases),
    Step("change", None, 15, Rehearsal.change),
    Step("replacement", None, 30, Rehearsal.replace_database),
    Step("contention", None, 35, Rehearsal.contend),
    Step("destroy", None, 450, Rehearsal.destroy),
)
"""The steps in their order."""


def run_steps(rehearsal: Rehearsal, last: str | None) -> None:
    """Do every step, or those up to and including the one named `last`. Raises StepError."""
    names = [step.name for step in STEPS]
    steps = STEPS[: names.index(last) + 1 if last else None]
    seconds = [rehearsal.estimate_seconds(step) for step in steps]
    for index, step in enumerate(steps):
        title = f"[{index + 1}/{len(steps)}] {step.title} ({rehearsal.get_stack_name(step)})"
        with rehearsal.progress.show_step(title, seconds[index], sum(seconds[index + 1 :])):
            rehearsal.do_step(step)


def _expect_no_changes(plan: Run) -> None:
    if plan.code:
        raise StepError(f"The second plan is not empty:\n{plan.output[-4000:]}")


def _expect_prevent_destroy(run: Run) -> None:
    if "prevent_destroy" not in run.output:
        raise StepError(run.output[-4000:])


def _count_added(apply: Run) -> int:
    """Return how many resources an apply has made."""
    summaries = [event.changes for event in read_events(apply.output) if isinstance(event, SummaryEvent)]
    return summaries[-1].add


def _count_managed(state: Json) -> int:
    return sum(1 for resource in state["resources"] if resource["mode"] == "managed")


def _list_containers(state: Json, account: str) -> list[str]:
    """Return the names of the containers that a stack has made in a storage account."""
    containers = [
        instance["attributes"]
        for resource in state["resources"]
        if resource["type"] == "azurerm_storage_container"
        for instance in resource["instances"]
    ]
    return [
        str(container["name"])
        for container in containers
        if str(container["storage_account_id"]).endswith(f"/{account}")
    ]


def _wait_until_applying(process: subprocess.Popen[str]) -> None:
    """Return as soon as an apply starts to work on a resource. Raises StepError if it ends before."""
    for line in process.stdout or ():
        if any(isinstance(event, ResourceEvent) and event.type == "apply_start" for event in read_events(line)):
            return
    raise StepError("The apply ended before 'apply_start'.")
