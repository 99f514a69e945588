"""The command line.

Belongs here: what a person types, what they read back, exit codes. Does not belong here: any work of the platform
itself (the rooms below do it). `abri --help` and a mistyped option answer at once, so whatever is slow to import
is imported inside the command that needs it.
"""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from abri_pipeline.cli import errors
from abri_pipeline.cli.terminal import terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 usage, 3 partial."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    terminal()  # kept before Dagster captures what steps print
    signal.signal(signal.SIGTERM, _interrupt)
    from abri_pipeline.cli.app import run

    try:
        return run(typed)
    except KeyboardInterrupt:
        return errors.tell(errors.FAILED, "interrupted; nothing was left half written, run it again", typed)
    except errors.StoppedMidway as stop:
        # A step is still at work in its thread, and waiting for it is what must not happen.
        os._exit(errors.tell(errors.FAILED, str(stop), typed))
    except errors.expected() as error:
        return errors.tell(*errors.explain(error), typed)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
