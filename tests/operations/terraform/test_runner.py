"""The runner of Terraform: with a shell script that answers as we need, and with the real Terraform if there is one."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import JsonValue

from operations.terraform.process import StopPolicy
from operations.terraform.runner import (
    Terraform,
    TerraformError,
    choose_binary,
    explain_unusable,
    find_terraform,
)
from operations.terraform.state import StateHead

ROOT = Path(__file__).parents[3]


def write_program(file: Path, script: str) -> str:
    """Write a shell script that can be run, and return its path."""
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


@pytest.fixture(name="fake")
def _fake(tmp_path: Path) -> Callable[[str], Terraform]:
    """Return Terraform whose program is a shell script."""
    return lambda script: Terraform(tmp_path, write_program(tmp_path / "fake-terraform", script))


class TestCaptured:
    """`run`: the command's output is captured."""

    def test_the_command_line_names_the_folder(self, fake: Callable[[str], Terraform]) -> None:
        terraform = fake('echo "$@"')
        assert terraform.run("init", "-input=false").output == f"-chdir={terraform.folder} init -input=false\n"

    def test_both_streams_are_captured_in_their_order_with_the_exit_code(
        self, fake: Callable[[str], Terraform], capfd: pytest.CaptureFixture[str]
    ) -> None:
        run = fake("echo one; echo two >&2; echo three; sleep 0.1; exit 2").run("plan")
        assert (run.code, run.output) == (2, "one\ntwo\nthree\n")
        assert run.seconds >= 0.1
        assert capfd.readouterr() == ("", "")

    def test_errors_can_go_to_the_terminal(
        self, fake: Callable[[str], Terraform], capfd: pytest.CaptureFixture[str]
    ) -> None:
        run = fake("echo one; echo two >&2; echo three").run("plan", stderr_to_terminal=True)
        assert run.output == "one\nthree\n"
        assert capfd.readouterr() == ("", "two\n")

    def test_each_line_is_handed_over_as_soon_as_it_is_printed(self, fake: Callable[[str], Terraform]) -> None:
        terraform = fake('echo first; while [ ! -e "$GO_ON" ]; do sleep 0.02; done; echo second')
        go_on = terraform.folder / "go-on"
        lines: list[str] = []

        def note_line(line: str) -> None:
            lines.append(line)
            go_on.touch()

        waiting = Terraform(terraform.folder, terraform.binary, {**os.environ, "GO_ON": str(go_on)})
        assert waiting.run("apply", on_line=note_line).code == 0
        assert lines == ["first\n", "second\n"]


class TestReadOutput:
    """`read_output`: standard output alone, or an error."""

    def test_warnings_do_not_get_into_the_output(self, fake: Callable[[str], Terraform]) -> None:
        assert fake("echo a warning >&2; echo '{}'").read_output("show") == "{}\n"

    def test_the_error_says_what_the_command_said(self, fake: Callable[[str], Terraform]) -> None:
        terraform = fake("echo half; echo 'Error: no such plan' >&2; exit 1")
        with pytest.raises(TerraformError) as failure:
            terraform.read_output("show", "-json")
        first, *more = str(failure.value).splitlines()
        assert first == f"`{terraform.binary} show` failed in {terraform.folder}, with 1."
        assert more == ["Error: no such plan"]

    def test_a_plan_is_shown_from_any_working_directory(
        self, fake: Callable[[str], Terraform], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        terraform = fake('echo "$@"')
        assert terraform.show_plan(Path("a.tfplan")) == f"-chdir={tmp_path} show -json {tmp_path}/a.tfplan\n"


class TestQuestions:
    """What a command that asks gets, if somebody types `yes` into this process's terminal."""

    @staticmethod
    def run_python(statement: str, binary: str) -> subprocess.CompletedProcess[str]:
        """Run a statement about `terraform` in another Python, with `yes` on its standard input."""
        program = f"""
            import sys
            from pathlib import Path
            from operations.terraform.runner import Terraform
            terraform = Terraform(Path("."), {binary!r})
            {statement}
        """
        command = [sys.executable, "-c", textwrap.dedent(program)]
        return subprocess.run(command, input="yes\n", capture_output=True, text=True, check=False, cwd=ROOT)

    def test_in_the_terminal_it_gets_the_answer(self, tmp_path: Path) -> None:
        script = 'printf "Enter a value: "; read answer; echo "got $answer"; echo warned >&2; exit 4'
        binary = write_program(tmp_path / "fake-terraform", script)
        run = self.run_python('sys.exit(terraform.run_in_terminal("apply"))', binary)
        assert (run.returncode, run.stdout, run.stderr) == (4, "Enter a value: got yes\n", "warned\n")

    @pytest.mark.parametrize("method", ["run('apply').output", "read_output('apply')"])
    def test_captured_it_gets_none(self, tmp_path: Path, method: str) -> None:
        binary = write_program(tmp_path / "fake-terraform", "read answer || echo no answer")
        run = self.run_python(f"print(terraform.{method})", binary)
        assert run.stdout == "no answer\n\n", run.stderr


class TestEnvironment:
    """The variables that Terraform gets."""

    SHOW = 'echo "$MARK|$CHECKPOINT_DISABLE|$TF_IN_AUTOMATION"'

    def test_by_default_it_gets_those_of_this_process(
        self, fake: Callable[[str], Terraform], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MARK", "inherited")
        assert fake(self.SHOW).run("plan").output == "inherited|1|1\n"

    def test_an_environment_that_is_given_is_all_it_gets(
        self, fake: Callable[[str], Terraform], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MARK", "inherited")
        terraform = fake(self.SHOW)
        assert Terraform(terraform.folder, terraform.binary, {}).run("plan").output == "|1|1\n"

    def test_it_is_not_shown_in_a_traceback(self, tmp_path: Path) -> None:
        assert "secret" not in repr(Terraform(tmp_path, "terraform", {"ARM_CLIENT_SECRET": "secret"}))


class TestBinary:
    """Which program is run, and whether it can be used."""

    @pytest.mark.parametrize(("value", "expected"), [(None, "terraform"), ("", "terraform"), ("tofu", "tofu")])
    def test_the_environment_names_it(self, monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str) -> None:
        if value is None:
            monkeypatch.delenv("TERRAFORM_BINARY_NAME", raising=False)
        else:
            monkeypatch.setenv("TERRAFORM_BINARY_NAME", value)
        assert choose_binary() == expected

    @pytest.mark.parametrize(
        ("installed", "named", "expected"),
        [
            ((), None, None),
            (("tofu",), None, "tofu"),
            (("terraform", "tofu"), None, "terraform"),
            (("terraform", "tofu"), "tofu", "tofu"),
            (("terraform",), "tofu", None),
        ],
    )
    def test_a_rehearsal_takes_either(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        installed: tuple[str, ...],
        named: str | None,
        expected: str | None,
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("TERRAFORM_BINARY_NAME", named or "")
        for name in installed:
            write_program(tmp_path / name, "true")
        assert find_terraform() == (str(tmp_path / expected) if expected else None)

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (None, "'tofu-of-the-test' does not run. Install one;"),
            ("no json", "'tofu-of-the-test' does not run. Install one;"),
            ("{}", "'tofu-of-the-test' does not run. Install one;"),
            ('{"terraform_version": "1.10.5"}', "is needed; 'tofu-of-the-test' is 1.10.5."),
            ('{"terraform_version": "0.15.0-beta1"}', "is needed; 'tofu-of-the-test' is 0.15.0-beta1."),
            ('{"terraform_version": "1.11.0"}', None),
            ('{"terraform_version": "2.0.0"}', None),
        ],
    )
    def test_it_has_to_be_recent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str | None, message: str | None
    ) -> None:
        monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu-of-the-test")
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        (tmp_path / "cdk.tf.json").write_text("{}")
        if answer:
            write_program(tmp_path / "tofu-of-the-test", f"echo '{answer}'")
        if message is None:
            assert explain_unusable(choose_binary()) is None
            terraform = Terraform.for_stack(tmp_path)
            assert (terraform.binary, terraform.stop_policy) == ("tofu-of-the-test", StopPolicy.LET_FINISH)
            return
        with pytest.raises(TerraformError) as failure:
            Terraform.for_stack(tmp_path)
        assert message in str(failure.value)

    def test_the_wrapper_of_setup_terraform_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Guards against exit codes that are lost, and against plans in the outputs of a workflow's step."""
        monkeypatch.delenv("TERRAFORM_BINARY_NAME", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        write_program(tmp_path / "terraform", """echo '[command]terraform-bin {"terraform_version": "1.11.4"}'""")
        write_program(tmp_path / "terraform-bin", """echo '{"terraform_version": "1.11.4"}'""")
        reason = explain_unusable(choose_binary())
        assert reason is not None
        assert "terraform_wrapper: false" in reason

    def test_a_stack_that_is_not_synthesized_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(TerraformError, match="make synth ENV=dev"):
            Terraform.for_stack(tmp_path / "dev")


class TestRealTerraform:
    """The real Terraform on resources that need no provider."""

    @pytest.fixture(name="binary")
    def _binary(self) -> str:
        binary = find_terraform()
        if binary is None:
            pytest.skip("needs Terraform or OpenTofu on PATH")
        return binary

    @staticmethod
    def write_stack(folder: Path, **resources: JsonValue) -> None:
        (folder / "cdk.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}))

    def test_let_finish_ends_an_apply_gracefully_and_keeps_what_it_made(self, binary: str, tmp_path: Path) -> None:
        """A SIGTERM to this process alone, as a CI system sends it."""
        slow: JsonValue = {"provisioner": [{"local-exec": {"command": "trap '' INT; sleep 1"}}]}
        self.write_stack(tmp_path, slow=slow, later={"input": "${terraform_data.slow.id}"})
        terraform = Terraform(tmp_path, binary)
        assert terraform.run("init").code == 0

        def terminate(line: str) -> None:
            if "Provisioning with" in line:
                os.kill(os.getpid(), signal.SIGTERM)

        run = terraform.run("apply", "-auto-approve", "-no-color", on_line=terminate)
        assert run.code == 1
        assert "Gracefully shutting down..." in run.output
        state = json.loads(terraform.pull_state())
        assert [resource["name"] for resource in state["resources"]] == ["slow"]
        unlocked = terraform.run("plan", "-no-color", "-lock-timeout=0s")
        assert unlocked.code == 0, unlocked.output

    def test_kill_group_kills_terraform_and_what_it_runs(self, binary: str, tmp_path: Path) -> None:
        command = "sleep 298.75"
        self.write_stack(tmp_path, slow={"provisioner": [{"local-exec": {"command": f"echo begun; exec {command}"}}]})
        terraform = Terraform(tmp_path, binary, stop_policy=StopPolicy.KILL_GROUP)
        assert terraform.run("init").code == 0

        def interrupt(line: str) -> None:
            if "): begun" in line:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            terraform.run("apply", "-auto-approve", "-no-color", on_line=interrupt)
        search = subprocess.run(["pgrep", "-f", f"^{command}$"], check=False, capture_output=True, text=True)  # noqa: S607
        assert search.stdout == ""

    def test_the_head_of_the_state(self, binary: str, tmp_path: Path) -> None:
        self.write_stack(tmp_path, thing={"input": "x"})
        terraform = Terraform(tmp_path, binary)
        assert terraform.run("init").code == 0
        assert terraform.read_state_head() is None

        def apply(value: str) -> StateHead | None:
            self.write_stack(tmp_path, thing={"input": value})
            assert terraform.run("apply", "-auto-approve").code == 0
            return terraform.read_state_head()

        first, second = apply("x"), apply("y")
        assert first
        assert second
        assert first.lineage == second.lineage
        assert first.serial < second.serial


class TestInterrupted:
    """`Run.interrupted` tells a command that failed from one that the user ended."""

    @pytest.mark.parametrize("number", ["INT", "TERM", "HUP"])
    def test_a_signal_to_this_process_is_noted(self, fake: Callable[[str], Terraform], number: str) -> None:
        run = fake(f"trap 'exit 1' TERM; sleep 0.3; kill -{number} $PPID; sleep 0.3; exit 1").run("init")
        assert (run.code, run.interrupted) == (1, True)

    def test_without_a_signal_nothing_is_noted(self, fake: Callable[[str], Terraform]) -> None:
        assert not fake("exit 1").run("init").interrupted
