"""backend/.azure/client_address.py, in the real Uvicorn that startup.sh starts."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

STARTUP = Path("backend/.azure/startup.sh").absolute()
FRONT_DOOR = "aaaaaaaa-0000-4000-8000-000000000001"
ANOTHER_FRONT_DOOR = "bbbbbbbb-0000-4000-8000-000000000002"
CLIENT = "203.0.113.9"
EDGE = "20.150.7.7:55123"
"""An address of Front Door, and a port, as App Service appends them."""
APPLICATION = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = f"{scope['client'][0]} {scope['scheme']}".encode()
        await send({"type": "http.response.body", "body": body})
"""
Headers = tuple[tuple[str, str], ...]


@contextmanager
def serve(folder: Path, **settings: str) -> Generator[int]:
    """Run startup.sh with the real Uvicorn and an application that answers who its client is; give its port."""
    (folder / "other.py").write_text(APPLICATION)
    uvicorn = folder / "uvicorn"
    uvicorn.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m uvicorn "$@" --host 127.0.0.1 --port 0\n')
    uvicorn.chmod(0o755)
    (folder / "python").write_text("#!/bin/sh\n")  # `python job.py wait`: there is no database to wait for
    (folder / "python").chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "APP_MODULE": "other:app", **settings}
    with subprocess.Popen(
        ["/bin/sh", STARTUP], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        printed: list[str] = []
        for line in process.stdout or ():
            printed.append(line)
            if found := re.search(r"Uvicorn running on http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            pytest.fail("".join(printed))
        try:
            yield int(found[1])
        finally:
            process.terminate()


def ask(port: int, *headers: tuple[str, str]) -> str:
    """Send a request with exactly these headers, and return the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", "/")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def behind_front_door(tmp_path_factory: pytest.TempPathFactory) -> Generator[int]:
    with serve(tmp_path_factory.mktemp("front-door"), FRONT_DOOR_ID=FRONT_DOOR) as port:
        yield port


@pytest.fixture(scope="module")
def behind_app_service(tmp_path_factory: pytest.TempPathFactory) -> Generator[int]:
    with serve(tmp_path_factory.mktemp("app-service"), FRONT_DOOR_ID="") as port:
        yield port


def forward(*sent: tuple[str, str], client: str = CLIENT) -> Headers:
    """Return what arrives through Front Door and App Service if a client sends some headers."""
    forwarded = [value for name, value in sent if name == "X-Forwarded-For"]
    others = [pair for pair in sent if pair[0] not in ("X-Forwarded-For", "X-Azure-ClientIP")]
    return (
        *others,
        ("X-Azure-FDID", FRONT_DOOR),
        ("X-Azure-SocketIP", client),
        # Front Door takes it from X-Forwarded-For.
        ("X-Azure-ClientIP", forwarded[0] if forwarded else client),
        ("X-Forwarded-For", ", ".join([*forwarded, client, EDGE])),
        ("X-Forwarded-Proto", "https"),
    )


@pytest.mark.parametrize(
    "sent",
    [
        (),
        (("X-Forwarded-For", "6.6.6.6"),),
        (("X-Forwarded-For", "6.6.6.6, 20.150.7.8"),),
        (("X-Azure-ClientIP", "6.6.6.6"),),
        (("X-Azure-SocketIP", "6.6.6.6"),),
        (("X-Azure-FDID", ANOTHER_FRONT_DOOR), ("X-Azure-SocketIP", "6.6.6.6")),
        (("X-Client-IP", "6.6.6.6"), ("Forwarded", "for=6.6.6.6"), ("X-Real-IP", "6.6.6.6")),
    ],
    ids=["honest", "forwarded", "forwarded as Front Door", "client", "socket", "own id", "other headers"],
)
def test_a_client_of_front_door_cannot_forge_its_address(behind_front_door: int, sent: Headers) -> None:
    assert ask(behind_front_door, *forward(*sent)) == f"{CLIENT} https"


@pytest.mark.parametrize(
    "sent",
    [
        (),
        (("X-Forwarded-For", "6.6.6.6"),),
        (("X-Azure-FDID", FRONT_DOOR), ("X-Azure-SocketIP", "6.6.6.6")),
        (("X-Azure-FDID", ""), ("X-Azure-SocketIP", "6.6.6.6")),
    ],
    ids=["honest", "forwarded", "as Front Door", "empty id"],
)
def test_a_client_of_app_service_cannot_forge_its_address(behind_app_service: int, sent: Headers) -> None:
    forwarded = [value for name, value in sent if name == "X-Forwarded-For"]
    appended = ("X-Forwarded-For", ", ".join([*forwarded, f"{CLIENT}:4000"]))
    headers = (*(pair for pair in sent if pair[0] != "X-Forwarded-For"), appended, ("X-Forwarded-Proto", "https"))
    assert ask(behind_app_service, *headers) == f"{CLIENT} https"


@pytest.mark.parametrize("client", ["203.0.113.9", "2001:db8::9"])
def test_ipv4_and_ipv6_clients_are_told_apart(behind_front_door: int, client: str) -> None:
    assert ask(behind_front_door, *forward(client=client)) == f"{client} https"


@pytest.mark.parametrize(
    ("appended", "client"),
    [("203.0.113.9", "203.0.113.9"), ("[2001:db8::9]:4000", "2001:db8::9"), ("2001:db8::9", "2001:db8::9")],
)
def test_an_address_is_read_with_or_without_a_port(behind_app_service: int, appended: str, client: str) -> None:
    assert ask(behind_app_service, ("X-Forwarded-For", f"6.6.6.6, {appended}")) == f"{client} http"


def test_a_check_by_the_platform_itself_keeps_its_own_address(behind_front_door: int) -> None:
    assert ask(behind_front_door) == "127.0.0.1 http"
