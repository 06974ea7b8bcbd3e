"""The rehearsal's commands, run as a person runs them: the stand-in alone, another endpoint, and Ctrl-C."""

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
from urllib.parse import urlsplit

import pytest

from environments import load
from operations.terraform.events import find_errors
from rehearsal import azurite, seed, synthesis
from rehearsal.__main__ import main
from rehearsal.endpoint import Endpoint
from rehearsal.stand_in import dump
from rehearsal.stand_in.families import TYPES
from rehearsal.stand_in.resource_manager import ResourceManager
from rehearsal.stand_in.server import StandIn
from rehearsal.terraform import IsolatedTerraform, isolate_environment
from rehearsal.world import STORE, world
from tests.rehearsal import parts

NETWORK = "azurerm_virtual_network"
INTERRUPTED = 128 + signal.SIGINT


@contextlib.contextmanager
def serving(*arguments: str) -> Generator[tuple[subprocess.Popen[str], dict[str, str], str]]:
    """`make rehearse STEP=serve`, what it said to export, and its curl line; ended by Ctrl-C if the block has not."""
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
            yield process, exports, curl
        finally:
            process.send_signal(signal.SIGINT)


@pytest.fixture(scope="module", autouse=True)
def _tools(binary: str) -> None:
    assert binary
    if azurite.find() is None:
        pytest.skip("Azurite is not installed: make tools installs it")


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, str]]:
    """What one that runs for several tests said to export."""
    with serving("dev") as (_, exports, _):
        yield exports


def endpoint(exports: Mapping[str, str]) -> Endpoint:
    """What the exports lead to."""
    return Endpoint(
        f"https://{exports['ARM_METADATA_HOSTNAME']}",
        Path(exports["SSL_CERT_FILE"]),
        exports["ARM_TENANT_ID"],
        exports["ARM_SUBSCRIPTION_ID"],
    )


def ports(exports: Mapping[str, str]) -> list[int]:
    """The stand-in's and the proxy's."""
    found = (urlsplit(f"https://{exports['ARM_METADATA_HOSTNAME']}").port, urlsplit(exports["HTTPS_PROXY"]).port)
    return [each for each in found if each]


def matching(*arguments: str) -> list[int]:
    """The processes that pgrep finds."""
    found = subprocess.run(["pgrep", *arguments], check=False, capture_output=True, text=True)  # noqa: S607
    return [int(each) for each in found.stdout.split()]


def left(processes: list[int]) -> list[int]:
    """Those that still run when they have had time to end."""
    deadline = time.monotonic() + 5
    while (running := [each for each in processes if _runs(each)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


def _runs(process: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def test_what_it_says_to_export_is_enough_for_terraform_and_nothing_is_left_after_ctrl_c(
    binary: str, tmp_path: Path
) -> None:
    with serving("dev") as (process, exports, _):
        backend = synthesis.environment(load(), "dev")["terraform"]["backend"]
        body = {"terraform": {"backend": backend}, "resource": {"terraform_data": {"thing": {"input": "x"}}}}
        (tmp_path / "cdk.tf.json").write_text(json.dumps(body), encoding="utf-8")
        terraform = IsolatedTerraform(tmp_path, binary, isolate_environment(exports))
        assert terraform.init().code == 0
        assert terraform.apply().code == 0
        assert terraform.read_state()["resources"][0]["type"] == "terraform_data", "read back from the served Azurite"
        there = endpoint(exports)
        groups = there.ask("GET", f"/subscriptions/{there.subscription}/resourceGroups")["value"]
        assert load().names(load().environments["dev"]).compose("resource_group") in [each["name"] for each in groups]
        folder, started = Path(exports["SSL_CERT_FILE"]).parent, matching("-P", str(process.pid))
        assert started, "Azurite"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == INTERRUPTED
    assert not folder.exists()
    assert not left(started)
    for port in ports(exports):
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
            pass


def test_the_curl_line_shows_the_store_whatever_else_this_machine_trusts(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / "ca.pem").touch()
    with serving() as (_, exports, curl):
        environment = os.environ | exports | {"CURL_CA_BUNDLE": str(tmp_path / "ca.pem")}
        said = subprocess.run(curl, shell=True, check=True, capture_output=True, text=True, env=environment)  # noqa: S602
    assert json.loads(said.stdout)["subscriptionId"] == exports["ARM_SUBSCRIPTION_ID"]


@pytest.mark.azure
def test_terraform_and_the_provider_plan_against_what_it_says_to_export(
    provider: Path, binary: str, served: dict[str, str]
) -> None:
    body = parts.part(parts.stack("dev"), NETWORK)
    (provider / "cdk.tf.json").write_text(json.dumps(body), encoding="utf-8")
    planned = IsolatedTerraform(provider, binary, isolate_environment(served)).plan()
    assert planned.code == 2, planned.output[-3000:]
    assert "1 to add" in planned.output


@pytest.mark.azure
def test_the_driver_works_on_another_endpoint(provider: Path, tmp_path: Path, served: dict[str, str]) -> None:
    assert provider
    there = endpoint(served)
    with world(tmp_path, load(), blobs=False, elsewhere=there.url, ca=there.ca_file) as here:
        with pytest.raises(RuntimeError, match="no stand-in of ours"):
            assert here.stand_in
        group = seed.ground(there.subscription, load(), load().environments["dev"])[1]
        before = here.inventory([group])
        stack = here.stack("dev", parts.part(parts.stack("dev"), NETWORK), local_state=True)
        assert stack.init().code == 0
        applied = stack.apply()
        assert applied.code == 0, find_errors(applied.output)
        assert stack.plan().code == 0, "the second plan is empty"
        [made] = here.inventory([group]) - before
        assert "/virtualnetworks/" in made
    assert not (tmp_path / STORE).exists(), "it is the other's to dump"
    held = there.ask("GET", dump.PATH)["resources"]
    assert made in [each["id"].lower() for each in held], "the served one holds it"


@pytest.mark.usefixtures("without_provider")
def test_a_state_is_rehearsed_with_another_endpoint_s_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    with serving("--keep", str(kept)) as (process, exports, _):
        there = endpoint(exports)
        monkeypatch.setattr("sys.argv", ["rehearsal", "--endpoint", there.url, "--ca", str(there.ca_file)])
        assert main() == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == INTERRUPTED
    assert "the second plan is empty" in capsys.readouterr().out
    asked = [json.loads(each)["path"] for each in (kept / "requests.jsonl").read_text(encoding="utf-8").splitlines()]
    assert any(each.endswith("/oauth2/v2.0/token") for each in asked), "Terraform's backend got its token there"
    assert json.loads((kept / STORE).read_text(encoding="utf-8"))["subscriptionId"] == there.subscription


def test_an_authority_that_is_not_named_is_not_trusted(tmp_path: Path, served: dict[str, str]) -> None:
    with (
        world(tmp_path, load(), blobs=False, elsewhere=endpoint(served).url) as here,
        pytest.raises(urllib.error.URLError, match="certificate verify failed"),
    ):
        here.endpoint.token()


def test_a_store_is_dumped_and_loaded_again(stand_in: StandIn, tmp_path: Path) -> None:
    parts.seed(stand_in.resource_manager)
    file = tmp_path / "dumped.json"
    file.write_text(json.dumps(dump.dump_store(stand_in.resource_manager)), encoding="utf-8")
    with serving("--store", str(file)) as (_, exports, _):
        held = endpoint(exports).ask("GET", dump.PATH)
    assert held == dump.dump_store(stand_in.resource_manager)
    other = ResourceManager(TYPES, subscription="other", tenant=stand_in.resource_manager.tenant)
    with pytest.raises(ValueError, match="no dump of subscription other"):
        dump.load_store(other, held)


def test_ctrl_c_ends_a_rehearsal_and_what_it_has_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rehearsal", "--step", "bootstrap"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        first = process.stdout.readline()
        started = matching("-P", str(process.pid))
        process.send_signal(signal.SIGINT)
        said = first + process.stdout.read()
    assert process.returncode == INTERRUPTED, said
    assert "nothing is left running" in said
    assert started
    assert not left(started)
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


@pytest.mark.parametrize("written", ["{}", "no JSON", None])
def test_what_is_no_dump_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str | None
) -> None:
    file = tmp_path / "store.json"
    if written is not None:
        file.write_text(written, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["rehearsal", "--step", "serve", "--store", str(file)])
    assert main() == 1
    assert capsys.readouterr().out.startswith(f"rehearsal: {file}: ")


def test_a_folder_with_something_else_in_it_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("mine", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["rehearsal", "--keep", str(tmp_path)])
    with pytest.raises(SystemExit, match="holds something else"):
        main()
    assert [each.name for each in tmp_path.iterdir()] == ["ca.pem"]


@pytest.mark.parametrize(
    ("written", "said"),
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
def test_a_command_that_cannot_be_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], written: str, said: str
) -> None:
    monkeypatch.setattr("sys.argv", ["rehearsal", *written.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("written", ["--keep {}", "--keep {}/in", "--endpoint https://localhost:1 --ca {}/in"])
def test_a_file_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    file = tmp_path / "a file"
    file.touch()
    monkeypatch.setattr("sys.argv", ["rehearsal", *(each.format(file) for each in written.split())])
    assert main() == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("rehearsal: ")
    assert str(file) in line


def test_a_setting_that_cannot_be_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUGEO_TENANT_ID", "x")
    monkeypatch.setattr("sys.argv", ["rehearsal"])
    assert main() == 1
    assert "rehearsal: 1 setting is wrong" in capsys.readouterr().err
