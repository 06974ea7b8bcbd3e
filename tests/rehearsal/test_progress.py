"""What a person sees while a rehearsal runs."""

import io
import json

from rehearsal.progress import Progress, clock_time, spoken


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def event(type_: str, address: str = "", *, action: str = "create", **more: object) -> str:
    """A line of `terraform apply -json`."""
    hook = {"resource": {"addr": address}, "action": action, "elapsed_seconds": 12}
    return json.dumps({"type": type_, "hook": hook} | more)


def planned(operation: str = "plan") -> str:
    """What Terraform says of the whole plan, and again when it is done."""
    return event("change_summary", changes={"add": 2, "change": 1, "remove": 0, "operation": operation})


def test_the_live_line_says_step_time_resources_rest_and_what_is_waited_for() -> None:
    now = [0.0]
    progress = Progress(Terminal(), clock=lambda: now[0])
    now[0] = 30
    with progress.step("[2/7] apply (dev)", 300, 120):
        assert progress.line() == "[2/7] apply (dev) 0:00 | in all 0:30, 7 min to go"
        progress.saw(planned())
        progress.saw(event("apply_start", "data.azurerm_x.y", action="read"))
        progress.saw(event("apply_start", "azurerm_a.b"))
        progress.saw(event("apply_start", "azurerm_managed_redis.cache"))
        progress.saw(event("apply_start", "azurerm_c.d"))
        progress.saw(event("apply_complete", "azurerm_a.b"))
        now[0] = 155
        line = "[2/7] apply (dev) 2:05 | 1 of 3 | in all 2:35, 5 min to go | managed_redis.cache +1"
        assert progress.line() == line
        progress.saw(event("apply_errored", "azurerm_c.d"))
        progress.saw(planned("apply"))
        now[0] = 500
        line = "[2/7] apply (dev) 7:50 | 1 of 3 | in all 8:20, 2 min to go | managed_redis.cache"
        assert progress.line() == line


def test_a_file_gets_plain_lines() -> None:
    out = io.StringIO()
    progress = Progress(out)
    with progress.step("[1/7] bootstrap (shared)", 155, 900):
        progress.saw(planned())
        progress.saw("Terraform warns of something that is no JSON\n")
        progress.saw(event("apply_start", "azurerm_a.b"))
        progress.saw(event("apply_complete", "data.azurerm_x.y", action="read"))
        progress.saw(event("apply_complete", "azurerm_a.b"))
    progress.say("done")
    assert out.getvalue().splitlines() == [
        "[1/7] bootstrap (shared), about 3 min ...",
        "    1 of 3: create azurerm_a.b 12 s",
        "done",
    ]


def test_a_terminal_gets_lines_that_stay_and_one_that_does_not() -> None:
    out = Terminal()
    progress = Progress(out)
    with progress.step("step", 5, 0):
        progress.saw(event("apply_complete", "azurerm_a.b"))
        progress.say("seen")
    assert out.getvalue() == "\r\x1b[Kseen\n\r\x1b[K"


def test_times() -> None:
    assert [clock_time(each) for each in (0, 59.9, 60, 754)] == ["0:00", "0:59", "1:00", "12:34"]
    assert [spoken(each) for each in (4, 42, 89, 95, 540)] == ["0 s", "40 s", "90 s", "2 min", "9 min"]
