"""Write the generated parts of every page: `python -m tools.pages`. With `--check`, only list those that are stale."""

import argparse
import sys

import bindings

bindings.install()  # before the imports below, which load cdktf

from environments import SettingsError
from tools.pages.blocks import find_stale_blocks, write_blocks
from tools.pages.catalog import list_blocks
from tools.pages.stacks import synthesize_stacks


def main() -> None:
    """Write or check every block; exit with 1 if `--check` finds a stale one."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.pages", description="Write the parts of the documentation pages that come from the code."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; list stale parts and exit with 1")
    arguments = parser.parse_args()
    try:
        blocks = list_blocks(synthesize_stacks())
    except SettingsError as error:
        sys.exit(str(error))
    stale = find_stale_blocks(blocks)
    if not arguments.check:
        write_blocks(stale)
    for block in stale:
        print(f"{block.page}: {block.name} {'is stale: make docs' if arguments.check else 'is written anew'}")
    if arguments.check and stale:
        sys.exit(1)


if __name__ == "__main__":
    main()
