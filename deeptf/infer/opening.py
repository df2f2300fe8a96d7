"""Which backend runs a model: the engine where it knows the plan in the file, else TensorFlow.

This is the only place of `deeptf.infer` that imports a module with TensorFlow, when it is needed.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from deeptf.exchange.model_file import FORMAT, ModelFile, read_model
from deeptf.infer import engine
from deeptf.infer.backend import ENGINE, TENSORFLOW


def open_model(
    model_file: str | Path, backend: str | None = None, gpu: str = "auto"
) -> tuple[ModelFile, engine.Model | None]:
    """Return a model file and the model in the engine, or None in its place: TensorFlow runs it.

    backend : ENGINE or TENSORFLOW; None lets the file decide
    gpu : whether the engine takes a GPU, of engine.GPU
    Raises FileNotFoundError, and ValueError for a file, a backend or a GPU that does not fit.
    """
    if backend not in (None, ENGINE, TENSORFLOW):
        raise ValueError(f"`backend` must be {ENGINE!r}, {TENSORFLOW!r} or None, got {backend!r}")
    model = read_model(model_file)
    native, reason = None, f"`backend` is {TENSORFLOW!r}"
    if backend != TENSORFLOW:
        native, reason = _native(model, gpu)
    if native is None:
        if gpu == "yes":
            raise ValueError(
                f"`gpu`, which is for the engine, must be 'auto' or 'no' for {model.path}, got "
                f"'yes': {reason}"
            )
        if backend == ENGINE:
            raise ValueError(
                f"`backend` must be {TENSORFLOW!r} for {model.path}, got {ENGINE!r}: {reason}"
            )
        model = tensorflow_backend().runnable(model)
    return model, native


def needs_tensorflow(*model_files: str | Path) -> bool:
    """Return whether any of the models is one for TensorFlow; raises what `open_model` does."""
    return any(_native(read_model(model_file), "no")[0] is None for model_file in model_files)


def tensorflow_backend() -> Any:
    """Return the module backend_tensorflow.py; it imports TensorFlow."""
    return importlib.import_module("deeptf.infer.backend_tensorflow")


def _native(model: ModelFile, gpu: str) -> tuple[engine.Model | None, str]:
    """Return the model in the engine, or None and the reason."""
    if model.metadata["format"] != FORMAT:
        return None, f"the file has format {model.metadata['format']}"
    if not model.metadata.get("plan"):
        return None, "the file has no plan of its stages"
    try:
        return engine.Model(model.path, model.content, gpu), ""
    except ValueError as error:
        return None, str(error)
