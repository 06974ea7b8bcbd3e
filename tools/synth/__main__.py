"""The command `python -m tools.synth [STACK]`. It says in one sentence what keeps it from starting.

The settings, cdktf and jsii are imported here, so that an error of theirs is a sentence and not a traceback.

Exit codes: 0 synthesized; 1 not, and nothing was changed; 130 interrupted by Ctrl-C.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

INTERRUPTED = 130
_interrupts: list[int] = []


class _Interruption(BaseException):
    """Ctrl-C. After a KeyboardInterrupt that passed through exec(), Python ends with the signal, not the exit code."""


def main() -> int:
    """Run the command, and return its exit code."""
    signal.signal(signal.SIGINT, _interrupt)
    sys.unraisablehook = _ignore
    if os.environ.get("JSII_NODE") == "":
        del os.environ["JSII_NODE"]  # Empty means unset. jsii would start a program without a name.
    node = os.environ.get("JSII_NODE")
    if node and not os.access(node, os.X_OK):
        print(f"synth: JSII_NODE is {node}, which is no program. Unset it, or name a Node.js.", file=sys.stderr)
        return 1
    temporary = Path(os.environ.get("TMPDIR") or tempfile.gettempdir())
    try:
        _make_temporary_folder(temporary)
        from tools.synth import stacks  # noqa: PLC0415

        stacks.main()
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        # jsii's Node.js gets the Ctrl-C too and ends, so that its answer is cut off in any of several ways.
        if _interrupts:
            print("\nsynth: interrupted; the last synth is unchanged.", file=sys.stderr)
            return INTERRUPTED
        if reason := _explain(error, temporary):
            print(f"synth: {reason}", file=sys.stderr)
            return 1
        sys.unraisablehook = sys.__unraisablehook__
        raise
    return 0


def _make_temporary_folder(parent: Path) -> None:
    """Give jsii a temporary folder that is removed at exit. A Node.js that Ctrl-C ends leaves its own behind."""
    os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="synth-", dir=parent)
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)


def _ignore(_error: "sys.UnraisableHookArgs") -> None:
    """Say nothing of what jsii runs into while it stops a Node.js that has ended already, or never started."""


def _interrupt(number: int, _frame: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # A second Ctrl-C must not cut off the clean-up.
    _interrupts.append(number)
    raise _Interruption


def _explain(error: BaseException, temporary: Path) -> str | None:
    """Return what is wrong with this machine, in a sentence, or None if it is not known."""
    if not temporary.is_dir() or not os.access(temporary, os.W_OK):
        return f"TMPDIR is {temporary}, which is no folder that can be written to. Unset it, or name another."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or temporary}"
    if "ENOSPC" in str(error):
        return f"There is no space left in {temporary}. Make room, or name another folder in TMPDIR."
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
    sys.exit(main())
