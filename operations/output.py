"""What a command does when nobody reads its output any more, such as after `| head`."""

import os
import sys


def discard_output() -> None:
    """Let what is still printed to standard output go nowhere, so that Python ends without a traceback.

    Call it after a BrokenPipeError: https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
