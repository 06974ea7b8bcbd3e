"""The command `python -m tools.synth [STACK]`. It says in one sentence what keeps it from starting.

The settings, cdktf and jsii are imported here, so that an error of theirs is a sentence and not a traceback.

Exit codes: 0 synthesized; 1 not, and nothing was changed; 130 interrupted by Ctrl-C.
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

INTERRUPTED = 130
_interrupts: list[int] = []


def main() -> int:
    """Run the command, and return its exit code."""
    signal.signal(signal.SIGINT, _interrupt)
    if os.environ.get("JSII_NODE") == "":
        del os.environ["JSII_NODE"]  # Empty means unset. jsii would start a program without a name.
    node = os.environ.get("JSII_NODE")
    if node and not os.access(node, os.X_OK):
        print(f"synth: JSII_NODE is {node}, which is no program. Unset it, or name a Node.js.", file=sys.stderr)
        return 1
    try:
        from tools.synth import stacks  # noqa: PLC0415

        stacks.main()
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except SyntaxError as error:
        place = f"{error.filename}, line {error.lineno}"
        print(f"synth: {place}, is no Python: {(error.text or '').strip()!r} ({error.msg})", file=sys.stderr)
        return 1
    except BaseException as error:
        # jsii's Node.js gets the Ctrl-C too and ends, so that its answer is cut off in any of several ways.
        if _interrupts:
            print("\nsynth: interrupted; the last synth is unchanged.", file=sys.stderr)
            return INTERRUPTED
        if reason := _explain(error):
            print(f"synth: {reason}", file=sys.stderr)
            return 1
        raise
    return 0


def _interrupt(number: int, _frame: object) -> None:
    _interrupts.append(number)
    raise KeyboardInterrupt


def _explain(error: BaseException) -> str | None:
    """Return what is wrong with this machine, in a sentence, or None if it is not known."""
    folder = Path(os.environ.get("TMPDIR") or tempfile.gettempdir())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return f"TMPDIR is {folder}, which is no folder that can be written to. Unset it, or name another."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or folder}"
    if "ENOSPC" in str(error):
        return f"There is no space left in {folder}. Make room, or name another folder in TMPDIR."
    chain = {type(cause).__module__.partition(".")[0] for cause in _list_causes(error)} | {_find_module(error)}
    if "jsii" in chain:
        named = [f"{name}={os.environ[name]}" for name in ("NODE_OPTIONS", "JSII_NODE") if os.environ.get(name)]
        if named:
            return f"Node.js, which jsii needs, ended early. {' and '.join(named)} may be wrong: unset it."
    return None


def _list_causes(error: BaseException | None) -> list[BaseException]:
    causes: list[BaseException] = []
    while error is not None:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _find_module(error: BaseException) -> str:
    """Return the package in which an error was raised."""
    trace = error.__traceback__
    name = ""
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        trace = trace.tb_next
    if name == "json":  # raised while jsii reads an answer
        return "jsii"
    return name


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # jsii stops its Node.js at exit, and prints a traceback if that has ended already.
    os._exit(code)
