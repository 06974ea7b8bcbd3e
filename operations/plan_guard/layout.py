"""How a report is laid out: titles, and indented lines that break between words and never inside a name."""

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

WIDTH = 120
"""How many characters a line has at most, if no single word is longer."""

NARROWEST = 60
"""The width for a terminal that has fewer characters in a line."""

INDENT = "  "

NO_BREAK = "\N{NO-BREAK SPACE}"
"""A space at which no line is broken."""

FEW = 6
"""So many addresses are listed one by one."""


def get_terminal_width() -> int:
    """Return how wide a report for the terminal is: as wide as the terminal, within bounds; WIDTH without one."""
    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns))


def format_section(title: str, lines: Iterable[str], width: int = WIDTH) -> Iterator[str]:
    """Yield an empty line, a title and the indented lines below it, or nothing if there are no lines."""
    for number, line in enumerate(lines):
        if number == 0:
            yield f"\n{title}"
        yield indent(line, width)


def indent(text: str, width: int = WIDTH, level: int = 1) -> str:
    """Return a text as indented lines. What does not fit on the first line is indented further."""
    beginning = INDENT * level
    return textwrap.fill(
        text,
        width,
        initial_indent=beginning,
        subsequent_indent=beginning + INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    ).replace(NO_BREAK, " ")


def list_addresses(addresses: Iterable[str]) -> Iterator[str]:
    """Yield a few addresses one by one, and of many how many there are of each type."""
    known = list(dict.fromkeys(addresses))
    if len(known) <= FEW:
        yield from known
        return
    types = Counter(address.partition(".")[0] for address in known)
    only = {address.partition(".")[0]: address for address in known}
    shown = [f"{number}{NO_BREAK}{type_}" if number > 1 else only[type_] for type_, number in types.most_common()]
    yield ", ".join(shown)
