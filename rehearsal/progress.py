"""Shows a person at the terminal how far a rehearsal is."""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Generator
from typing import IO

from operations.terraform.events import ResourceEvent, SummaryEvent, read_events


class Progress:
    """Shows the step, its time and its resources.

    In a terminal this is one line, which is redrawn every second. In a file, each resource is a line.
    """

    def __init__(self, out: IO[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._clock = clock
        self._lock = threading.Lock()
        self._started = clock()
        self._step = ""
        self._step_started = self._started
        self._step_seconds = 0.0
        self._later_seconds = 0.0
        self._expected_resources = 0
        self._finished_resources = 0
        self._resources_in_progress: dict[str, None] = {}  # a set that keeps the order

    def print_line(self, line: str) -> None:
        """Print a line that stays."""
        with self._lock:
            self._out.write(f"\r\x1b[K{line}\n" if self._is_terminal else f"{line}\n")
            self._out.flush()

    @contextlib.contextmanager
    def show_step(self, title: str, seconds: float, later_seconds: float) -> Generator[None]:
        """Show a step while the block runs.

        Args:
            title: What the step is called.
            seconds: How long the step is expected to take.
            later_seconds: How long all steps after it are expected to take.
        """
        self._step, self._step_seconds, self._later_seconds = title, seconds, later_seconds
        self._step_started = self._clock()
        self.expect_resources(0)
        if not self._is_terminal:
            self.print_line(f"{title}, about {format_roughly(seconds)} ...")
        over = threading.Event()
        ticker = threading.Thread(target=self._redraw_until, args=(over,), name="progress", daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()
            self._draw("")

    def expect_resources(self, count: int) -> None:
        """Start to count resources: `count` of them are about to be worked on."""
        self._expected_resources, self._finished_resources = count, 0
        self._resources_in_progress.clear()

    def follow_line(self, line: str) -> None:
        """Follow one line that Terraform prints with `-json`. Other lines are ignored."""
        for event in read_events(line):
            match event:
                case SummaryEvent(changes=changes) if changes.operation == "plan":
                    self.expect_resources(changes.add + changes.change + changes.remove)
                case ResourceEvent(type="apply_start", hook=hook) if hook.action != "read":
                    self._resources_in_progress[hook.resource.addr] = None
                case ResourceEvent(type="apply_errored", hook=hook):
                    self._resources_in_progress.pop(hook.resource.addr, None)
                case ResourceEvent(type="apply_complete", hook=hook) if hook.action != "read":
                    self._resources_in_progress.pop(hook.resource.addr, None)
                    self._finished_resources += 1
                    if not self._is_terminal:
                        count = f"{self._finished_resources} of {self._expected_resources}"
                        self.print_line(f"    {count}: {hook.action} {hook.resource.addr} {hook.elapsed_seconds} s")
                case _:
                    pass

    def format_line(self) -> str:
        """Return the line that a terminal shows now."""
        now = self._clock()
        spent = now - self._step_started
        parts = [f"{self._step} {format_clock(spent)}"]
        if self._expected_resources:
            parts.append(f"{self._finished_resources} of {self._expected_resources}")
        left = max(0.0, self._step_seconds - spent) + self._later_seconds
        parts.append(f"in all {format_clock(now - self._started)}, {format_roughly(left)} to go")
        addresses = list(self._resources_in_progress)
        if addresses:
            more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
            parts.append(f"{addresses[0].removeprefix('azurerm_')}{more}")
        return " | ".join(parts)

    def _redraw_until(self, over: threading.Event) -> None:
        while self._is_terminal and not over.wait(1):
            self._draw(self.format_line()[: shutil.get_terminal_size().columns - 1])

    def _draw(self, line: str) -> None:
        if self._is_terminal:
            with self._lock:
                self._out.write(f"\r\x1b[K{line}")
                self._out.flush()


def format_clock(seconds: float) -> str:
    """Return minutes and seconds, such as `3:07`."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def format_roughly(seconds: float) -> str:
    """Return a rough duration, such as `40 s` or `5 min`."""
    return f"{round(seconds / 60)} min" if seconds >= 90 else f"{round(seconds / 10) * 10} s"
