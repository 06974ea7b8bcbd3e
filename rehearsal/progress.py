"""What a person at the terminal sees of a rehearsal: one line that is kept up to date, or plain lines in a file."""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Generator
from typing import IO

from operations.terraform.events import ResourceEvent, SummaryEvent, read_events


class Progress:
    """Says how far the steps are. In a terminal one line is drawn anew each second; elsewhere each event is a line."""

    def __init__(self, out: IO[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._live = out.isatty()
        self._clock = clock
        self._lock = threading.Lock()
        self._begun = clock()
        self._step = ""
        self._step_begun = self._begun
        self._expected = self._rest = 0.0
        self._of = self._done = 0
        self._under_way: dict[str, None] = {}

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            self._out.write(f"\r\x1b[K{line}\n" if self._live else f"{line}\n")
            self._out.flush()

    @contextlib.contextmanager
    def step(self, name: str, expected: float, rest: float) -> Generator[None]:
        """Show a step while the block runs; it is expected to take some seconds, and all that comes after it `rest`."""
        self._step, self._expected, self._rest, self._step_begun = name, expected, rest, self._clock()
        self.resources(0)
        if not self._live:
            self.say(f"{name}, about {spoken(expected)} ...")
        over = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(over,), name="progress", daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()
            self._draw("")

    def resources(self, of: int) -> None:
        """So many resources are about to be worked on."""
        self._of, self._done = of, 0
        self._under_way.clear()

    def saw(self, line: str) -> None:
        """Take notice of one line of what Terraform prints with `-json`."""
        for event in read_events(line):
            match event:
                case SummaryEvent(changes=changes) if changes.operation == "plan":
                    self.resources(changes.add + changes.change + changes.remove)
                case ResourceEvent(type="apply_start", hook=hook) if hook.action != "read":
                    self._under_way[hook.resource.addr] = None
                case ResourceEvent(type="apply_errored", hook=hook):
                    self._under_way.pop(hook.resource.addr, None)
                case ResourceEvent(type="apply_complete", hook=hook) if hook.action != "read":
                    self._under_way.pop(hook.resource.addr, None)
                    self._done += 1
                    if not self._live:
                        count = f"{self._done} of {self._of}"
                        self.say(f"    {count}: {hook.action} {hook.resource.addr} {hook.elapsed_seconds} s")
                case _:
                    pass

    def line(self) -> str:
        """The live line."""
        now = self._clock()
        spent = now - self._step_begun
        parts = [f"{self._step} {clock_time(spent)}"]
        if self._of:
            parts.append(f"{self._done} of {self._of}")
        left = max(0.0, self._expected - spent) + self._rest
        parts.append(f"in all {clock_time(now - self._begun)}, {spoken(left)} to go")
        waiting = list(self._under_way)
        if waiting:
            more = f" +{len(waiting) - 1}" if len(waiting) > 1 else ""
            parts.append(f"{waiting[0].removeprefix('azurerm_')}{more}")
        return " | ".join(parts)

    def _tick(self, over: threading.Event) -> None:
        while self._live and not over.wait(1):
            self._draw(self.line()[: shutil.get_terminal_size().columns - 1])

    def _draw(self, line: str) -> None:
        if self._live:
            with self._lock:
                self._out.write(f"\r\x1b[K{line}")
                self._out.flush()


def clock_time(seconds: float) -> str:
    """Minutes and seconds, such as 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def spoken(seconds: float) -> str:
    """Roughly, such as `40 s` or `5 min`."""
    return f"{round(seconds / 60)} min" if seconds >= 90 else f"{round(seconds / 10) * 10} s"
