"""Options that name frozen models, and what their commands start for them."""

from __future__ import annotations

import argparse

from deeptf.process import start_tensorflow

MODEL = "frozen_model.pb"  # that `deeptf freeze` writes


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the option `--model`."""
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        default=MODEL,
        help="frozen model (default: %(default)s)",
    )


def add_driving_models(parser: argparse.ArgumentParser, others: str) -> None:
    """Add the option `--model` for one or more models, of which the first gives forces.

    others : what the other ones are for
    """
    parser.add_argument(
        "-m",
        "--model",
        "--models",
        dest="models",
        metavar="MODEL",
        nargs="+",
        default=[MODEL],
        help=f"frozen models; {others} (default: {MODEL})",
    )


def start_for(*models: str) -> None:
    """Start TensorFlow where the engine does not run one of the models."""
    from deeptf.infer.opening import needs_tensorflow

    if needs_tensorflow(*models):
        start_tensorflow()
