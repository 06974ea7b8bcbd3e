"""The two stop policies, with shell scripts instead of Terraform."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from operations.terraform.process import StopPolicy, start_process

EVERY_POLICY = pytest.mark.parametrize("policy", StopPolicy)


def start(
    script: str, policy: StopPolicy, *, stdout: int | None = subprocess.PIPE
) -> AbstractContextManager[subprocess.Popen[str]]:
    """Run a shell script as a block's process."""
    return start_process(["/bin/sh", "-c", script], environment=os.environ, stop_policy=policy, stdout=stdout)


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait five seconds at most until a condition holds, and return whether it does."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def is_running(process_id: int) -> bool:
    """Return whether a process exists and is no zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], check=False, capture_output=True, text=True)  # noqa: S607
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@EVERY_POLICY
def test_the_block_reads_the_output_and_gets_the_exit_code(policy: StopPolicy) -> None:
    with start("echo one; echo two; exit 7", policy) as process:
        assert process.stdout
        assert process.stdout.read() == "one\ntwo\n"
        assert process.wait() == 7
    assert process.returncode == 7


@EVERY_POLICY
def test_the_process_cannot_ask_anything(policy: StopPolicy) -> None:
    with start("read answer || echo no answer", policy) as process:
        assert process.communicate()[0] == "no answer\n"


class TestLetFinish:
    """`StopPolicy.LET_FINISH`: the process ends by itself, and gets one signal to end at most."""

    def test_a_block_that_ends_early_waits_for_the_process(self, tmp_path: Path) -> None:
        with start(f"sleep 0.3; touch '{tmp_path}/finished'", StopPolicy.LET_FINISH) as process:
            pass
        assert process.returncode == 0
        assert (tmp_path / "finished").exists()

    def test_output_that_nobody_reads_does_not_block_the_process(self) -> None:
        with start("head -c 300000 /dev/zero; exit 3", StopPolicy.LET_FINISH) as process:
            pass
        assert process.returncode == 3

    def test_an_exception_in_the_block_waits_for_the_process_too(self, tmp_path: Path) -> None:
        script = f"sleep 0.3; touch '{tmp_path}/finished'"
        with pytest.raises(ValueError, match="of the block"), start(script, StopPolicy.LET_FINISH):
            raise ValueError("of the block")
        assert (tmp_path / "finished").exists()

    def test_it_shares_the_process_group_that_the_terminal_interrupts(self) -> None:
        with start("sleep 0.1", StopPolicy.LET_FINISH) as process:
            assert os.getpgid(process.pid) == os.getpgid(0)

    def test_ctrl_c_ends_neither_the_block_nor_the_process(self) -> None:
        """A terminal sends Ctrl-C to the process as well, so it is not passed on."""
        script = "trap 'echo interrupted' INT; echo ready; sleep 0.3; echo done"
        with start(script, StopPolicy.LET_FINISH) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            os.kill(os.getpid(), signal.SIGINT)
            assert process.stdout.read() == "done\n"

    def test_sigterm_is_passed_on(self) -> None:
        script = "trap 'echo terminated' TERM; echo ready; sleep 0.3; echo done"
        with start(script, StopPolicy.LET_FINISH) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            os.kill(os.getpid(), signal.SIGTERM)
            assert process.stdout.read() == "terminated\ndone\n"

    def test_a_hang_up_does_not_kill_the_process(self) -> None:
        with start("kill -HUP $$; echo alive", StopPolicy.LET_FINISH) as process:
            assert process.communicate()[0] == "alive\n"

    def test_a_hang_up_is_passed_on_as_sigterm_once(self) -> None:
        """The kernel sends one and the shell another. At a second SIGTERM, Terraform would exit at once."""
        script = "trap 'echo terminated' TERM; echo ready; for _ in 1 2 3 4 5; do sleep 0.1; done"
        lines: list[str] = []
        with start(script, StopPolicy.LET_FINISH) as process:
            for line in process.stdout or ():
                lines.append(line)
                os.kill(os.getpid(), signal.SIGHUP)
        assert lines == ["ready\n", "terminated\n"]

    def test_the_handlers_are_put_back(self) -> None:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.getsignal(number) for number in numbers]
        with start("true", StopPolicy.LET_FINISH):
            assert [signal.getsignal(number) for number in numbers] != before
        assert [signal.getsignal(number) for number in numbers] == before


class TestKillGroup:
    """`StopPolicy.KILL_GROUP`: nothing of the process is left when the block ends."""

    # Prints the ID of a child that would run for long, as a provider of Terraform does.
    WITH_CHILD = "trap '' TERM INT HUP; sleep 297 & echo $!; wait"

    def test_the_process_and_its_children_are_killed_when_the_block_ends(self) -> None:
        with start(self.WITH_CHILD, StopPolicy.KILL_GROUP) as process:
            assert process.stdout
            child = int(process.stdout.readline())
            assert is_running(child)
        assert process.returncode == -signal.SIGKILL
        assert wait_until(lambda: not is_running(child))

    def test_they_are_killed_when_the_block_is_interrupted(self) -> None:
        children: list[int] = []

        def interrupt_block() -> None:
            with start(self.WITH_CHILD, StopPolicy.KILL_GROUP) as process:
                assert process.stdout
                children.append(int(process.stdout.readline()))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupt_block()
        [child] = children
        assert wait_until(lambda: not is_running(child))

    def test_a_process_that_has_ended_keeps_its_exit_code(self) -> None:
        with start("exit 5", StopPolicy.KILL_GROUP) as process:
            process.wait()
        assert process.returncode == 5

    def test_it_has_a_process_group_of_its_own(self) -> None:
        with start("sleep 297", StopPolicy.KILL_GROUP) as process:
            assert os.getpgid(process.pid) == process.pid

    def test_no_handler_is_changed_so_that_it_works_in_any_thread(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        with start("sleep 297", StopPolicy.KILL_GROUP):
            assert signal.getsignal(signal.SIGINT) == before
