"""Client of i-PI: it evaluates what i-PI's server sends, by the wire protocol of i-PI.

A message begins with 12 letters; numbers follow as int32 and float64 of the machine, in atomic
units. The server sends STATUS, INIT, POSDATA (cell, its inverse, atoms) and GETFORCE (answered by
energy, forces, virial and text); it ends with EXIT or by closing the socket. Virial = -dE/dstrain.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase.units import Bohr, Hartree

from deeptf.infer.ase import DP
from deeptf.infer.deviation import Levels
from deeptf.infer.ensemble import Ensemble, deviation_of_found
from deeptf.infer.structure import open_structure

if TYPE_CHECKING:
    from ase import Atoms

HEADER = 12  # letters
FOLDER = "/tmp/ipi_"  # i-PI puts this before the name of a unix socket
WAIT = 30.0  # s for a server that has yet to start
_MOST_TEXT = 1 << 20  # bytes of an INIT message


def connect(unix: str | None, inet: str | None) -> tuple[socket.socket, str]:
    """Connect to a server, which may be about to start, and return the socket and its name.

    unix : name of a unix socket, or a path with a `/`
    inet : HOST:PORT

    Raises ValueError for a wrong address or where nobody listens within WAIT.
    """
    option, name = ("unix", unix) if unix is not None else ("inet", str(inet))
    if option == "unix":
        family, address = socket.AF_UNIX, name if "/" in name else FOLDER + name
    else:
        host, _, port = name.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"`inet` must be HOST:PORT, such as localhost:31415, got {name}")
        family, address = socket.AF_INET, (host, int(port))
    last = time.monotonic() + WAIT
    while True:
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.connect(address)
            return opened, name
        except OSError as error:
            opened.close()
            if time.monotonic() > last:
                reason = error.strerror or error
                raise ValueError(
                    f"`{option}` must be where i-PI listens, got {name} ({reason}): start `i-pi`, "
                    "with the same address in its `ffsocket`"
                ) from None
        time.sleep(0.2)


def serve(
    structure: str | Path,
    models: Sequence[str | Path],
    unix: str | None = None,
    inet: str | None = None,
    threads: int | None = None,
) -> int:
    """Evaluate what i-PI sends until it ends; return how many evaluations that were.

    structure : file with the atoms in i-PI's order; whether it is periodic holds for all
    models : the first one gives energy and forces; with several ones the text is a JSON object with
        "deviation", the largest one of the force on an atom in eV/A

    Raises ValueError with a message for the user.
    """
    with Ensemble(models, threads=threads) as ensemble:
        atoms = open_structure(structure, ensemble.models[0])
        periodic = "".join("xyz"[axis] for axis in np.flatnonzero(atoms.pbc)) or "nowhere"
        print(f"{structure}: {len(atoms)} atoms, periodic: {periodic}", flush=True)
        opened, name = connect(unix, inet)
        with closing(opened):
            print(f"connected to {name}", flush=True)
            count = _Client(_Wire(opened), atoms, ensemble).run()
    print(f"{name} has ended after {count} evaluations", flush=True)
    return count


class _Wire:
    """Messages over a socket."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    def header(self) -> str:
        """Return the letters of a message, "EXIT" where the server has closed the socket."""
        letters = self._bytes(HEADER, ends=True)
        return letters.decode(errors="replace").strip() if letters else "EXIT"

    def array(self, kind: type, *shape: int) -> np.ndarray:
        """Return numbers."""
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        return np.frombuffer(self._bytes(size), kind).reshape(shape)

    def number(self) -> int:
        """Return one int32."""
        return int(self.array(np.int32, 1)[0])

    def text(self, length: int) -> bytes:
        """Return text."""
        return self._bytes(length)

    def send(self, header: str, *parts: bytes | np.ndarray) -> None:
        """Send a message."""
        content = [part if isinstance(part, bytes) else part.tobytes() for part in parts]
        self._socket.sendall(header.ljust(HEADER).encode() + b"".join(content))

    def _bytes(self, size: int, ends: bool = False) -> bytes:
        """Return bytes; none where the server `ends` before them."""
        content = bytearray()
        while len(content) < size:
            try:
                part = self._socket.recv(size - len(content))
            except ConnectionError:
                part = b""
            if not part and ends and not content:
                return b""
            if not part:
                raise ValueError("the server must send whole messages, got a part of one")
            content += part
        return bytes(content)


class _Client:
    """Answers a server."""

    def __init__(self, wire: _Wire, atoms: Atoms, ensemble: Ensemble) -> None:
        self._wire, self._atoms, self._ensemble = wire, atoms, ensemble
        self._answer: list[np.ndarray | bytes] | None = None

    def run(self) -> int:
        """Answer until the server ends; return how many evaluations that were."""
        count = 0
        while (header := self._wire.header()) != "EXIT":
            if header == "STATUS":
                self._wire.send("READY" if self._answer is None else "HAVEDATA")
            elif header == "INIT":
                self._wire.number()  # of the bead
                self._wire.text(min(max(self._wire.number(), 0), _MOST_TEXT))
            elif header == "POSDATA":
                self._receive()
                self._answer = self._evaluate()
                count += 1
            elif header == "GETFORCE" and self._answer is not None:
                self._wire.send("FORCEREADY", *self._answer)
                self._answer = None
            else:
                raise ValueError(f"the server must speak the protocol of i-PI, got {header!r}")
        return count

    def _receive(self) -> None:
        """Take cell and positions."""
        cell = self._wire.array(np.float64, 3, 3).T * Bohr  # sent with its vectors as columns
        self._wire.array(np.float64, 3, 3)  # its inverse
        number = self._wire.number()
        if number != len(self._atoms):
            raise ValueError(
                f"`structure` must have the {number} atoms of i-PI in the same order, got "
                f"{len(self._atoms)}"
            )
        self._atoms.positions = self._wire.array(np.float64, number, 3) * Bohr
        if self._atoms.pbc.any():
            self._atoms.cell = cell

    def _evaluate(self) -> list[np.ndarray | bytes]:
        """Return what is sent back."""
        calculator: DP = self._atoms.calc
        frame = calculator.frame(self._atoms)
        found = self._ensemble.eval(**frame)
        energy, force, virial = (values[0, 0] for values in found)
        text = b""
        if len(self._ensemble.models) > 1:
            deviation = deviation_of_found(found, frame["atom_types"], Levels()).force.max()
            text = json.dumps({"deviation": deviation}).encode()
        virial = virial.reshape(3, 3)
        return [
            energy / Hartree,
            np.array(len(force), np.int32),
            force * (Bohr / Hartree),
            (virial + virial.T) / (2 * Hartree),
            np.array(len(text), np.int32),
            text,
        ]
