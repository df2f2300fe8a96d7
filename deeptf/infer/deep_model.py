"""What frozen models of all properties can do from Python, by the names of deepmd-kit.

DeepPot (deep_pot.py), DeepDipole, DeepPolar (deep_tensor.py) and DeepDOS (deep_dos.py) add `eval`.
It checks what a user gives (inputs.py) and hands it to what runs the model (evaluator.py): the
engine, or TensorFlow. Units: A, eV, eV/A; virial = -dE/dstrain in eV. It does not build neighbour
lists itself: the backend does, or an MD engine gives pairs (eval_pairs).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from deeptf.data.batch import Batch, Frames
from deeptf.infer.backend import Settings
from deeptf.infer.evaluator import Evaluator
from deeptf.infer.inputs import (
    atom_parameters,
    check_displacements,
    check_frames,
    check_reach,
    frame_parameters,
    frames_of_arrays,
    frames_of_batch,
    number_owned,
    pairs_of_arrays,
    types_of_all,
)
from deeptf.infer.keywords import check_keywords
from deeptf.infer.opening import tensorflow_backend
from deeptf.ops.messages import with_origin
from deeptf.properties import (
    DESCRIPTOR,
    FRAME,
    Property,
    labelled,
)

if TYPE_CHECKING:
    from typing_extensions import Self

_KEYWORDS = ("neighbor_list", "head", "load_prefix", "default_tf_graph", "input_map")
EVAL_KEYWORDS = ("efield", "spin")


class DeepModel(Evaluator):
    """A frozen model, ready to evaluate.

    main : the output that a model of this class must have; None for any model.

    model_file : path of the `.pb` written by `deeptf freeze` or `deeptf convert`
    threads : None takes all cores
    memory : bytes of working memory that TensorFlow aims at; more data are evaluated in blocks.
        The engine takes a few MB a thread
    auto_batch_size : True leaves it at that; a number is the most atoms evaluated at a time, at
        least a frame; False evaluates all frames at once, whatever memory that takes
    backend : "engine", which needs no TensorFlow, or "tensorflow"; None takes the engine for each
        model that it can run. The attribute says which it is
    gpu : whether the engine runs the model on a GPU: "auto" takes the first one that
        CUDA_VISIBLE_DEVICES shows where there is one with kernels for the model, and warns where
        there is one without; "yes" raises ValueError instead; "no" takes the CPU. The attribute
        `device` says where the engine runs it. `threads` and `memory` mean nothing to a GPU

    outside : pairs of atoms closer than anything in the data of the model, in all evaluations so
        far; None where the model cannot tell. The first ones are an OutsideWarning.

    Further keywords of deepmd-kit are taken at the values that mean nothing to deeptf
    (keywords.py). Use it as a context manager, or call `close`, to release the model early. A copy,
    pickled or not, opens the same file anew and refuses one that has changed. Threads may use one
    DeepPot at the same time, and a fork of the process may go on with it, unless it is on a GPU.
    """

    main: ClassVar[str | None] = None

    def __init__(
        self,
        model_file: str | Path,
        threads: int | None = None,
        memory: int = 1 << 30,
        auto_batch_size: bool | int = True,
        neighbor_list: None = None,
        backend: str | None = None,
        gpu: str = "auto",
        **others: Any,
    ) -> None:
        others["neighbor_list"] = neighbor_list
        check_keywords(DeepModel.__init__, others, *_KEYWORDS, name=type(self).__name__)
        super().__init__(model_file, backend, Settings(threads, memory, auto_batch_size, gpu))
        if self.main not in (None, *self.get_outputs()):
            self.close()
            raise ValueError(self._other_kind())
        self._names = self.get_type_map()
        self._absolute_path = os.path.abspath(self.path)

    def _other_kind(self) -> str:
        """Return what to say of a model that gives other properties."""
        outputs = ", ".join(row.name for row in labelled(self.get_outputs()))
        return (
            f"`model_file` must be a model that gives {self.main}, got {self.path}, which gives "
            f"{outputs}; DeepPot is for energies, DeepDipole, DeepPolar and DeepDOS for others"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        file = self._absolute_path, self._model.digest
        return _open_copy, (type(self), *file, self._settings, self.backend, self._closed)

    def eval_descriptor(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
        mixed_type: bool = False,
        **others: Any,
    ) -> np.ndarray:
        """Return the descriptor of every atom, [nf, N, D]; arguments as in `eval`."""
        name = f"{type(self).__name__}.eval_descriptor"
        check_keywords(DeepModel.eval_descriptor, others, *EVAL_KEYWORDS, name=name)
        given = coords, cells, atom_types, fparam, aparam, mixed_type
        return self._eval([DESCRIPTOR], *given)[0]

    def eval_typeebd(self) -> np.ndarray:
        """Return the vectors of the types, [T, n]; KeyError of a model without, as deepmd-kit.

        Descriptors whose places know types (se_atten, se_a_ebd_v2) have zeros for no atom in a
        further row. TensorFlow makes them.
        """
        found = tensorflow_backend().type_vectors(self._model)
        if found is None:
            raise KeyError("type embedding: the model has none, its nets are made for each type")
        return found

    def evaluate(self, batch: Batch, outputs: Sequence[str] | None = None) -> dict[str, np.ndarray]:
        """Evaluate a deeptf.data.batch.Batch, whose frames may differ in size.

        Returns the named outputs (of `get_outputs`): energy [F], force [N, 3], virial [F, 9],
        atom_energy [N], atom_virial [N, 9], descriptor [N, D]; by default the first three, and
        whatever else of a model data can label.
        """
        fparam = batch.fparam if self.get_dim_fparam() else None
        aparam = batch.aparam if self.get_dim_aparam() else None
        try:
            frames = frames_of_batch(batch, self._names)
            frames = self._with_parameters(frames, fparam, aparam)
            return self._run_frames(frames, self._outputs(outputs))
        except ValueError as error:
            raise ValueError(with_origin(str(error), batch.origin)) from None

    def eval_pairs(
        self,
        row: ArrayLike,
        neighbor: ArrayLike,
        displacement: ArrayLike,
        atom_type: ArrayLike,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
        outputs: Sequence[str] | None = None,
        num_owned: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Evaluate one frame given by its pairs, as an MD engine has them.

        row [N + 1]: centre i owns the pairs row[i] to row[i + 1]; neighbor [P] from 0 to N_all - 1;
        displacement [P, 3] = r_neighbor - r_centre in A; atom_type [N_all]: the N centres, then
        ghosts. Pairs beyond the cut-off do no harm.
        num_owned: so many centres count, the first ones; None for all. Where `get_hops` is above 1,
        their energies depend on other atoms' pairs: all atoms up to get_hops - 1 steps along pairs
        from them must be centres.

        Returns outputs as `evaluate` does: energy [1], force [N_all, 3], virial [1, 9], atom_energy
        [N], atom_virial [N_all, 9]; the force on a ghost is to be added to its atom.
        """
        if not self.takes_pairs():
            raise ValueError(
                f"the model must be given coordinates and cells, got pairs: results of {self.path}"
                " depend on more than pairs within the cut-off; use `eval`"
            )
        types = types_of_all(atom_type)
        pairs = pairs_of_arrays(row, neighbor, displacement, len(types))
        check_displacements(pairs, types)
        num_centres = len(pairs.row) - 1
        num_owned = number_owned(num_owned, num_centres)
        check_reach(pairs, types, num_owned, self.get_rcut(), self.get_hops())
        frame_row = np.array([0, num_centres], np.int32)
        frames = Frames(np.zeros((len(types), 3)), np.zeros((1, 3, 3)), types, frame_row)
        check_frames(frames, self._names)
        frames = self._with_parameters(frames, fparam, aparam)
        return self._run_pairs(frames, pairs, num_owned, self._outputs(outputs))

    def _eval(
        self,
        rows: Sequence[Property],
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        fparam: ArrayLike | None,
        aparam: ArrayLike | None,
        mixed_type: bool,
    ) -> list[np.ndarray]:
        """Return properties of frames of one size, [nf, width] or [nf, N, width]."""
        frames = frames_of_arrays(coords, cells, atom_types, self._names, mixed_type)
        frames = self._with_parameters(frames, fparam, aparam)
        result = self._run_frames(frames, [row.name for row in rows])
        of_frame = [frames.num_frames]
        of_atom = [*of_frame, np.shape(atom_types)[-1]]
        shapes = [of_frame if row.of == FRAME else of_atom for row in rows]
        widths = [result[row.name].shape[-1] if not row.width else row.width for row in rows]
        found = zip(rows, shapes, widths, strict=True)
        return [result[row.name].reshape(*shape, width) for row, shape, width in found]

    def _outputs(self, names: Sequence[str] | None) -> list[str]:
        """Return the names of outputs that are asked for."""
        if names is None:
            return [row.name for row in labelled(self.get_outputs())]
        return list(names)

    def _with_parameters(
        self, frames: Frames, fparam: ArrayLike | None, aparam: ArrayLike | None
    ) -> Frames:
        return replace(
            frames,
            fparam=frame_parameters(fparam, self.get_dim_fparam(), frames.num_frames),
            aparam=atom_parameters(aparam, self.get_dim_aparam(), frames.frame_row),
        )


def _open_copy(
    kind: type[DeepModel], path: str, digest: str, settings: Settings, backend: str, closed: bool
) -> DeepModel:
    """Open the file of a model again; ValueError where it has another content than then."""
    copy = kind(path, **vars(settings), backend=backend)
    if copy._model.digest != digest:
        copy.close()
        raise ValueError(
            f"`model_file` must be as it was when the `{kind.__name__}` that is copied was opened, "
            f"got {path}, which has changed: open it anew, or keep a file for each model"
        )
    if closed:
        copy.close()
    return copy
