"""Write in Markdown what a change does to the synthesized Terraform JSON, for the summary of a CI job.

    python3 -m tools.synth_diff base/cdktf.out/stacks cdktf.out/stacks --full synthesized.diff

cdktf sorts every key, so the difference shows only what has changed.
"""

import argparse
import subprocess
from pathlib import Path

# GitHub accepts 1 MiB per step. A person reads far less.
LINES_SHOWN = 1500


def run_git_diff(old: Path, new: Path, *options: str) -> str:
    """Return what `git diff` prints for two folders.

    Raises:
        FileNotFoundError: a folder is missing. Git itself would report that as a difference.
    """
    for folder in (old, new):
        if not folder.is_dir():
            raise FileNotFoundError(folder)
    command = ["git", "diff", "--no-index", "--no-ext-diff", "--no-color", "--no-prefix", *options, "--", old, new]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if process.returncode != 1:  # 1: they differ
        process.check_returncode()
    return process.stdout


def write_summary(stat: str, diff: str) -> str:
    """Return the Markdown for a diff and its `--stat`."""
    title = "## Synthesized Terraform"
    if not diff:
        return f"{title}\n\nNo change.\n"
    lines = diff.splitlines()
    first_lines = "\n".join(lines[:LINES_SHOWN])
    omitted = len(lines) - LINES_SHOWN
    note = (
        f"\n{omitted} more lines: the whole diff is the artifact `synthesized-diff` of this run.\n"
        if omitted > 0
        else ""
    )
    return f"{title}\n\n~~~~~~text\n{stat.rstrip()}\n~~~~~~\n\n~~~~~~diff\n{first_lines}\n~~~~~~\n{note}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Say what a change does to the synthesized Terraform JSON.")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--full", type=Path, required=True, help="the file that the whole diff goes to")
    arguments = parser.parse_args()
    diff = run_git_diff(arguments.old, arguments.new)
    arguments.full.write_text(diff, encoding="utf-8")
    print(write_summary(run_git_diff(arguments.old, arguments.new, "--stat=120"), diff))


if __name__ == "__main__":
    main()
