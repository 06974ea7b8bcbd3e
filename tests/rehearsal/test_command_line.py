"""The rehearsal's commands, as a person runs them: the stand-in alone, another endpoint, and Ctrl-C."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from environments import load
from operations.terraform.events import find_errors
from rehearsal.__main__ import main
from rehearsal.endpoint import Endpoint
from rehearsal.seed import list_prerequisites
from rehearsal.stand_in import dump
from rehearsal.stand_in.families import TYPES
from rehearsal.stand_in.resource_manager import ResourceManager
from rehearsal.stand_in.server import StandIn
from rehearsal.synthesis import synthesize_environment
from rehearsal.terraform import IsolatedTerraform, isolate_environment
from rehearsal.world import REQUESTS, STORE, open_world
from tests.rehearsal import parts

pytestmark = pytest.mark.usefixtures("binary", "azurite")

NETWORK = "azurerm_virtual_network"
INTERRUPTED = 128 + signal.SIGINT


class Served(NamedTuple):
    """A running `make rehearse STEP=serve`."""

    process: subprocess.Popen[str]
    exports: dict[str, str]
    """The variables that it said to export."""
    curl: str
    """The curl command that it printed."""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint to which the exports lead."""
        return Endpoint(
            f"https://{self.exports['ARM_METADATA_HOSTNAME']}",
            Path(self.exports["SSL_CERT_FILE"]),
            self.exports["ARM_TENANT_ID"],
            self.exports["ARM_SUBSCRIPTION_ID"],
        )

    @property
    def ports(self) -> list[int]:
        """The ports of the stand-in and of the proxy."""
        urls = (f"https://{self.exports['ARM_METADATA_HOSTNAME']}", self.exports["HTTPS_PROXY"])
        return [port for url in urls if (port := urlsplit(url).port)]

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)


@contextlib.contextmanager
def serve(*arguments: str) -> Generator[Served]:
    """Run `make rehearse STEP=serve` with these arguments until the block ends."""
    command = [sys.executable, "-m", "rehearsal", "--step", "serve", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            exports: dict[str, str] = {}
            curl = ""
            for line in process.stdout or ():
                if line.startswith("export "):
                    name, _, value = shlex.split(line)[1].partition("=")
                    exports[name] = value
                if line.startswith("curl "):
                    curl = line
                if "Ctrl-C" in line:
                    break
            assert exports, "it did not start"
            yield Served(process, exports, curl)
        finally:
            process.send_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def served(binary: str, azurite: None) -> Iterator[Served]:  # noqa: ARG001
    """One that runs for several tests, with what the shared stack makes for dev."""
    assert binary
    with serve("dev") as served:
        yield served


def list_children(process: subprocess.Popen[str]) -> list[int]:
    """Return the IDs of the processes that a process has started."""
    pgrep = subprocess.run(["pgrep", "-P", str(process.pid)], check=False, capture_output=True, text=True)  # noqa: S607
    return [int(line) for line in pgrep.stdout.split()]


def list_survivors(processes: list[int]) -> list[int]:
    """Return those processes that still run after they have had time to end."""
    deadline = time.monotonic() + 5
    survivors = processes
    while survivors and time.monotonic() < deadline:
        survivors = [process for process in survivors if _is_running(process)]
        time.sleep(0.05)
    return survivors


def _is_running(process: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def make_terraform(folder: Path, binary: str, exports: Mapping[str, str]) -> IsolatedTerraform:
    """Return Terraform in a folder, with the exports as a person has them in another terminal."""
    return IsolatedTerraform(folder, binary, isolate_environment(exports))


@pytest.mark.slow
def test_terraform_needs_only_the_exports_and_ctrl_c_leaves_nothing(binary: str, tmp_path: Path) -> None:
    with serve("dev") as served:
        backend = synthesize_environment(load(), "dev")["terraform"]["backend"]
        body = {"terraform": {"backend": backend}, "resource": {"terraform_data": {"thing": {"input": "x"}}}}
        (tmp_path / "cdk.tf.json").write_text(json.dumps(body), encoding="utf-8")
        terraform = make_terraform(tmp_path, binary, served.exports)
        assert terraform.init().code == 0
        assert terraform.apply().code == 0
        state = terraform.read_state()
        assert state["resources"][0]["type"] == "terraform_data", "read back from the served Azurite"
        endpoint = served.endpoint
        groups = endpoint.request("GET", f"/subscriptions/{endpoint.subscription}/resourceGroups")["value"]
        assert load().make_names(load().environments["dev"]).compose("resource_group") in [
            group["name"] for group in groups
        ]
        folder, children = Path(served.exports["SSL_CERT_FILE"]).parent, list_children(served.process)
        assert children, "Azurite"
        assert served.interrupt() == INTERRUPTED
    assert not folder.exists()
    assert not list_survivors(children)
    for port in served.ports:
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
            pass


@pytest.mark.slow
def test_the_curl_line_shows_the_store_whatever_else_this_machine_trusts(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / "ca.pem").touch()
    with serve() as served:
        environment = os.environ | served.exports | {"CURL_CA_BUNDLE": str(tmp_path / "ca.pem")}
        answer = subprocess.run(  # noqa: S602  a person pastes the line into a shell
            served.curl,
            shell=True,
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
    assert json.loads(answer.stdout)["subscriptionId"] == served.exports["ARM_SUBSCRIPTION_ID"]


@pytest.mark.azure
def test_terraform_and_the_provider_plan_with_the_exports(provider: Path, binary: str, served: Served) -> None:
    body = parts.extract_types(parts.synthesize_stack("dev"), NETWORK)
    (provider / "cdk.tf.json").write_text(json.dumps(body), encoding="utf-8")
    plan = make_terraform(provider, binary, served.exports).plan()
    assert plan.code == 2, plan.output[-3000:]
    assert "1 to add" in plan.output


@pytest.mark.azure
def test_the_driver_works_on_another_endpoint(provider: Path, tmp_path: Path, served: Served) -> None:
    assert provider
    endpoint = served.endpoint
    with open_world(tmp_path, load(), blobs=False, other_endpoint=endpoint.url, ca=endpoint.ca_file) as world:
        with pytest.raises(RuntimeError, match="no stand-in of ours"):
            assert world.stand_in
        _, group, *_ = list_prerequisites(endpoint.subscription, load(), load().environments["dev"])
        before = world.list_resource_ids([group])
        body = parts.extract_types(parts.synthesize_stack("dev"), NETWORK)
        stack = world.write_stack("dev", body, local_state=True)
        assert stack.init().code == 0
        apply = stack.apply()
        assert apply.code == 0, find_errors(apply.output)
        assert stack.plan().code == 0, "the second plan is empty"
        [network] = world.list_resource_ids([group]) - before
        assert "/virtualnetworks/" in network
    assert not (tmp_path / STORE).exists(), "only the endpoint itself can dump its store"
    resources = endpoint.request("GET", dump.PATH)["resources"]
    assert network in [resource["id"].lower() for resource in resources], "the endpoint holds it"


@pytest.mark.slow
@pytest.mark.usefixtures("without_provider")
def test_a_state_is_rehearsed_with_another_endpoints_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    with serve("--keep", str(kept)) as served:
        endpoint = served.endpoint
        monkeypatch.setattr("sys.argv", ["rehearsal", "--endpoint", endpoint.url, "--ca", str(endpoint.ca_file)])
        assert main() == 0
        assert served.interrupt() == INTERRUPTED
    assert "the second plan is empty" in capsys.readouterr().out
    requests = [json.loads(line) for line in (kept / REQUESTS).read_text(encoding="utf-8").splitlines()]
    tokens = [request for request in requests if request["path"].endswith("/oauth2/v2.0/token")]
    assert tokens, "Terraform's backend got its token there"
    assert json.loads((kept / STORE).read_text(encoding="utf-8"))["subscriptionId"] == endpoint.subscription


def test_an_authority_that_is_not_named_is_not_trusted(tmp_path: Path, served: Served) -> None:
    with (
        open_world(tmp_path, load(), blobs=False, other_endpoint=served.endpoint.url) as world,
        pytest.raises(urllib.error.URLError, match="certificate verify failed"),
    ):
        world.endpoint.fetch_token()


@pytest.mark.slow
def test_a_store_is_dumped_and_loaded_again(stand_in: StandIn, tmp_path: Path) -> None:
    manager = stand_in.resource_manager
    parts.seed_platform(manager)
    file = tmp_path / "dumped.json"
    file.write_text(json.dumps(dump.dump_store(manager)), encoding="utf-8")
    with serve("--store", str(file)) as served:
        answer = served.endpoint.request("GET", dump.PATH)
    assert answer == dump.dump_store(manager)
    other = ResourceManager(TYPES, subscription="other", tenant=manager.tenant)
    with pytest.raises(ValueError, match="no dump of subscription other"):
        dump.load_store(other, answer)


@pytest.mark.slow
def test_ctrl_c_ends_a_rehearsal_and_what_it_has_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rehearsal", "--step", "bootstrap"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        first = process.stdout.readline()
        children = list_children(process)
        process.send_signal(signal.SIGINT)
        output = first + process.stdout.read()
    assert process.returncode == INTERRUPTED, output
    assert "nothing is left running" in output
    assert children
    assert not list_survivors(children)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rehearsal"])
    monkeypatch.setenv("REHEARSAL_TOOLS", str(tmp_path))
    assert main() == 1
    assert capsys.readouterr().out == "rehearsal: Azurite is not installed; `make tools` installs it.\n"
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "no-such-program")
    assert main() == 1
    assert "neither Terraform nor OpenTofu is installed" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["{}", "no JSON", None])
def test_a_file_that_is_no_dump_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "store.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["rehearsal", "--step", "serve", "--store", str(file)])
    assert main() == 1
    assert capsys.readouterr().out.startswith(f"rehearsal: {file}: ")


def test_a_folder_with_other_files_in_it_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("mine", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["rehearsal", "--keep", str(tmp_path)])
    with pytest.raises(SystemExit, match="holds something else"):
        main()
    assert [file.name for file in tmp_path.iterdir()] == ["ca.pem"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--store s.json", "--store goes with --step serve"),
        ("--ca ca.pem", "--ca goes with --endpoint"),
        ("--endpoint http://localhost:1", "--endpoint takes https://HOST:PORT"),
        ("--endpoint https://localhost:99999", "--endpoint takes https://HOST:PORT"),
        ("--endpoint https://localhost:1 --step serve", "--endpoint takes https://HOST:PORT"),
        ("--step nonsense", "invalid choice: 'nonsense'"),
        ("qa", "invalid choice: 'qa'"),
    ],
)
def test_arguments_that_do_not_fit_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    monkeypatch.setattr("sys.argv", ["rehearsal", *arguments.split()])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", ["--keep {}", "--keep {}/in", "--endpoint https://localhost:1 --ca {}/in"])
def test_a_file_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str
) -> None:
    file = tmp_path / "a file"
    file.touch()
    monkeypatch.setattr("sys.argv", ["rehearsal", *(argument.format(file) for argument in arguments.split())])
    assert main() == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("rehearsal: ")
    assert str(file) in line


def test_a_wrong_setting_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AUGEO_TENANT_ID", "x")
    monkeypatch.setattr("sys.argv", ["rehearsal"])
    assert main() == 1
    assert "rehearsal: 1 setting is wrong" in capsys.readouterr().err
