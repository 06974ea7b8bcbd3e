"""Starts a Terraform process, and stops it when the command that started it has to end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from enum import Enum, auto
from types import FrameType


class StopPolicy(Enum):
    """How a running Terraform ends when the command that started it is interrupted or leaves early."""

    LET_FINISH = auto()
    """Wait until Terraform ends by itself. For everything that works on real Azure.

    A killed apply leaves the state locked, and the state does not know the resources that were being created.
    Terraform shares the caller's process group, so a terminal sends Ctrl-C to Terraform too, and Terraform then shuts
    down gracefully. SIGTERM, with which a CI system ends a job, reaches only the caller, which passes it on. SIGHUP
    would kill Terraform when the terminal is closed, so Terraform ignores it and gets a SIGTERM instead.

    Python sets signal handlers only in the main thread, so this policy works only there.
    """

    KILL_GROUP = auto()
    """Kill Terraform and every provider that it started (SIGKILL to its process group). For rehearsals.

    Nothing real can be lost, and a rehearsal has to end at once and leave no process behind. Terraform gets a process
    group of its own. The terminal's Ctrl-C does not reach that group, so Terraform dies only by this kill.
    """


@contextlib.contextmanager
def start_process(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    stop_policy: StopPolicy,
    on_interrupt: Callable[[], None] = lambda: None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | None = subprocess.PIPE,
    stderr: int | None = None,
) -> Generator[subprocess.Popen[str]]:
    """Start a command for the block. If it still runs when the block ends, wait for it or kill it, as the policy says.

    Args:
        command: The program and its arguments.
        environment: All of the process's environment variables.
        stop_policy: What happens to the process on a signal, and when the block ends before the process does.
        on_interrupt: With LET_FINISH, is called when this process gets a signal that asks it to end.
        stdin: As for `subprocess.Popen`. By default the command cannot ask anything.
        stdout: As for `subprocess.Popen`. By default the block reads it.
        stderr: As for `subprocess.Popen`. By default it goes where this process's own goes, such as the terminal.
    """
    if stop_policy is StopPolicy.LET_FINISH:
        started = _let_finish(command, environment, stdin, stdout, stderr, on_interrupt=on_interrupt)
    else:
        started = _kill_group(command, environment, stdin, stdout, stderr)
    with started as process:
        yield process


@contextlib.contextmanager
def _let_finish(
    command: Sequence[str],
    environment: Mapping[str, str],
    stdin: int | None,
    stdout: int | None,
    stderr: int | None,
    *,
    on_interrupt: Callable[[], None],
) -> Generator[subprocess.Popen[str]]:
    def note(_number: int, _frame: FrameType | None) -> None:
        on_interrupt()

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        on_interrupt()
        # A closed terminal sends SIGHUP twice, once from the kernel and once from the shell. A second SIGTERM would
        # make Terraform exit at once, without a graceful shutdown.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        process.terminate()

    with (
        _handle_signals({signal.SIGHUP: signal.SIG_IGN}),  # the process inherits that SIGHUP is ignored
        subprocess.Popen(  # noqa: S603  the callers choose the program
            command, env=environment, stdin=stdin, stdout=stdout, stderr=stderr, text=True
        ) as process,
        _handle_signals({signal.SIGINT: note, signal.SIGTERM: pass_on, signal.SIGHUP: pass_on}),
    ):
        yield process
        if process.stdout and not process.stdout.closed:
            for _ in process.stdout:  # a full pipe would block the process for ever
                pass
        process.wait()


@contextlib.contextmanager
def _kill_group(
    command: Sequence[str], environment: Mapping[str, str], stdin: int | None, stdout: int | None, stderr: int | None
) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603  the callers choose the program
        command, env=environment, stdin=stdin, stdout=stdout, stderr=stderr, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


Handler = Callable[[int, FrameType | None], None] | signal.Handlers


@contextlib.contextmanager
def _handle_signals(handlers: Mapping[signal.Signals, Handler]) -> Generator[None]:
    """Set signal handlers while the block runs, and put the previous ones back after it."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
