"""What a person sees while a rehearsal runs."""

import io
import json

from rehearsal.progress import Progress, format_clock, format_roughly


class Terminal(io.StringIO):
    """A file that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def write_event(type_: str, address: str = "", *, action: str = "create", **more: object) -> str:
    """Return a line of `terraform apply -json`."""
    hook = {"resource": {"addr": address}, "action": action, "elapsed_seconds": 12}
    return json.dumps({"type": type_, "hook": hook} | more)


def write_summary(operation: str = "plan") -> str:
    """Return the line with which Terraform sums up a plan, or an apply that has ended."""
    return write_event("change_summary", changes={"add": 2, "change": 1, "remove": 0, "operation": operation})


def test_the_line_has_step_time_resources_remaining_time_and_the_slowest_resource() -> None:
    now = [0.0]
    progress = Progress(Terminal(), clock=lambda: now[0])
    now[0] = 30
    with progress.show_step("[2/7] apply (dev)", 300, 120):
        assert progress.format_line() == "[2/7] apply (dev) 0:00 | in all 0:30, 7 min to go"
        progress.follow_line(write_summary())
        progress.follow_line(write_event("apply_start", "data.azurerm_x.y", action="read"))
        progress.follow_line(write_event("apply_start", "azurerm_a.b"))
        progress.follow_line(write_event("apply_start", "azurerm_managed_redis.cache"))
        progress.follow_line(write_event("apply_start", "azurerm_c.d"))
        progress.follow_line(write_event("apply_complete", "azurerm_a.b"))
        now[0] = 155
        line = "[2/7] apply (dev) 2:05 | 1 of 3 | in all 2:35, 5 min to go | managed_redis.cache +1"
        assert progress.format_line() == line
        progress.follow_line(write_event("apply_errored", "azurerm_c.d"))
        progress.follow_line(write_summary("apply"))
        now[0] = 500
        line = "[2/7] apply (dev) 7:50 | 1 of 3 | in all 8:20, 2 min to go | managed_redis.cache"
        assert progress.format_line() == line


def test_a_file_gets_plain_lines() -> None:
    out = io.StringIO()
    progress = Progress(out)
    with progress.show_step("[1/7] bootstrap (shared)", 155, 900):
        progress.follow_line(write_summary())
        progress.follow_line("A warning that is no JSON\n")
        progress.follow_line(write_event("apply_start", "azurerm_a.b"))
        progress.follow_line(write_event("apply_complete", "data.azurerm_x.y", action="read"))
        progress.follow_line(write_event("apply_complete", "azurerm_a.b"))
    progress.print_line("done")
    assert out.getvalue().splitlines() == [
        "[1/7] bootstrap (shared), about 3 min ...",
        "    1 of 3: create azurerm_a.b 12 s",
        "done",
    ]


def test_a_terminal_gets_one_line_that_is_redrawn() -> None:
    out = Terminal()
    progress = Progress(out)
    with progress.show_step("step", 5, 0):
        progress.follow_line(write_event("apply_complete", "azurerm_a.b"))
        progress.print_line("seen")
    assert out.getvalue() == "\r\x1b[Kseen\n\r\x1b[K"


def test_times() -> None:
    assert [format_clock(seconds) for seconds in (0, 59.9, 60, 754)] == ["0:00", "0:59", "1:00", "12:34"]
    assert [format_roughly(seconds) for seconds in (4, 42, 89, 95, 540)] == ["0 s", "40 s", "90 s", "2 min", "9 min"]
