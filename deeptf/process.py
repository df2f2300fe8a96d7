"""What the command line does to its own process.

Standard files that are closed are opened, TensorFlow starts without its notices, and its products
of float32 numbers keep all their bits. A library does not do so to the process of its user.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # read by TensorFlow when it is imported
LEVELS = ("0", "1", "2", "3")  # 0 tells all, 3 tells fatal errors only
STANDARD = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))  # by number


def on_terminal() -> bool:
    """Return whether a bar can be drawn: stderr is there and a terminal."""
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # none, or a closed one
        return False


def open_standard_files() -> None:
    """Open the null device for each standard file that is closed.

    Otherwise the next file, a checkpoint say, takes its number and gets what libraries print.
    """
    for number, (name, mode) in enumerate(STANDARD):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
            setattr(sys, name, open(number, mode, closefd=False))


def start_tensorflow() -> None:
    """Import TensorFlow and run a first graph without what it prints at that.

    It does so at any log level (oneDNN, MLIR); after an error, that is shown.

    On GPUs from A100 on TensorFlow would round the factors of float32 products to 10 bits (TF32).
    Forces are derivatives, whose errors are larger than those of energies: training and tests do
    without, as the GPU kernels of deeptf do, and models in float32 are the same on CPU and GPU.
    """
    quiet = _is_quiet()
    with _without_notices() if quiet else contextlib.nullcontext():
        from deeptf.tf import first_run, tf

        if quiet:
            tf.logging.set_verbosity(tf.logging.ERROR)
        tf.config.experimental.enable_tensor_float_32_execution(False)
        first_run()


def _is_quiet() -> bool:
    """Set the log level where none is given; return whether notices are left out at it.

    Raises ValueError for a level that TensorFlow would take for 0.
    """
    level = os.environ.get(LOG_LEVEL) or "2"
    if level not in LEVELS:
        raise ValueError(
            f"the environment variable {LOG_LEVEL} must be one of {', '.join(LEVELS)}, got "
            f"{level!r}; unset it, or give one of these"
        )
    os.environ[LOG_LEVEL] = level
    return level >= "2"


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as notices:
        os.dup2(notices.fileno(), 2)
        try:
            yield
        except BaseException:
            notices.seek(0)
            with open(terminal, "wb", closefd=False) as stream:
                shutil.copyfileobj(notices, stream)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
