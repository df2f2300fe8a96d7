"""The client of i-PI: beside ASE's server, in a path-integral run of i-PI, and its messages."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.socketio import SocketIOCalculator
from ase.io import read
from md_runs import write_cluster
from small_network import write_network

from deeptf.infer import DeepPot, ipi
from deeptf.infer.ase import DP

NUMBERS = 12 + 8 + 4 + 8 * 3 * 8 + 72 + 4  # bytes before the text, for 8 atoms


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("ipi") / "model.pb", names=("H", "He"))


@pytest.fixture
def structure(tmp_path):
    return write_cluster(tmp_path)


def address_in(folder):
    """Return the name of a unix socket that nobody else has."""
    return f"deeptf_{os.getpid()}_{folder.stat().st_ino}"


@pytest.mark.parametrize("pbc", [True, False])
def test_a_server_gets_energy_forces_and_stress(model, tmp_path, pbc, capsys):
    """The cell is triclinic, so that an order of rows and columns would be seen."""
    structure = write_cluster(tmp_path, pbc=pbc)
    atoms = read(structure)
    with DeepPot(model) as pot:
        want = atoms.copy()
        want.calc = DP(pot)
        name = address_in(tmp_path)
        with SocketIOCalculator(unixsocket=name) as server:
            client = threading.Thread(target=ipi.serve, args=(structure, [model], name))
            client.start()
            atoms.calc = server
            for _ in range(2):
                for system in (atoms, want):
                    system.rattle(0.02, seed=1)
                    if pbc:
                        system.set_cell(system.cell * [1.01, 1.0, 1.02], scale_atoms=True)
                np.testing.assert_allclose(atoms.get_forces(), want.get_forces(), atol=1e-10)
                assert atoms.get_potential_energy() == pytest.approx(want.get_potential_energy())
                if pbc:
                    np.testing.assert_allclose(atoms.get_stress(), want.get_stress(), atol=1e-10)
        client.join(20)
    said = capsys.readouterr().out
    assert f"8 atoms, periodic: {'xyz' if pbc else 'nowhere'}\nconnected to {name}\n" in said
    assert f"{name} has ended after 2 evaluations" in said


def answers(structure, models, *messages):
    """Return what a server gets that sends messages, and the errors of the client.

    messages : with the number of bytes of the answer, or None for one of numbers and text
    """
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    got, errors = [], []

    def serve():
        try:
            ipi.serve(structure, models, inet=f"127.0.0.1:{port}")
        except ValueError as error:
            errors.append(str(error))

    client = threading.Thread(target=serve)
    client.start()
    connection, _ = listener.accept()
    connection.settimeout(10)
    with listener, connection:
        for message, size in messages:
            connection.sendall(message)
            got.append(received(connection, size))
    client.join(20)
    return got, errors


def received(connection, size):
    if size is None:
        content = received(connection, NUMBERS)
        return content + received(connection, int(np.frombuffer(content[-4:], np.int32)[0]))
    content = b""
    while len(content) < size:
        part = connection.recv(size - len(content))
        assert part
        content += part
    return content


def header(name):
    return name.ljust(12).encode()


def positions(atoms):
    cell = np.array(atoms.cell) / ipi.Bohr
    numbers = [cell.T, np.linalg.inv(cell).T, np.int32(len(atoms)), atoms.positions / ipi.Bohr]
    return header("POSDATA") + b"".join(np.asarray(value).tobytes() for value in numbers)


def test_several_models_tell_their_deviation(model, structure, tmp_path):
    second = write_network(tmp_path / "second.pb", seed=2, names=("H", "He"))
    atoms = read(structure)
    init = header("INIT") + np.array([0, 3], np.int32).tobytes() + b"abc"
    got, errors = answers(
        structure,
        [model, second],
        (header("STATUS"), 12),
        (init, 0),
        (positions(atoms) + header("STATUS"), 12),
        (header("GETFORCE"), None),
        (header("EXIT"), 0),
    )
    assert not errors and [got[0], got[2]] == [header("READY"), header("HAVEDATA")]
    with DeepPot(model) as pot, DeepPot(second) as other:
        atoms.calc = DP([pot, other])
        energy = atoms.get_potential_energy()
        deviation = atoms.calc.results["deviation"].max()
    assert np.frombuffer(got[3][12:20])[0] * ipi.Hartree == pytest.approx(energy)
    assert json.loads(got[3][NUMBERS:])["deviation"] == pytest.approx(deviation)


def test_messages(model, structure, tmp_path, monkeypatch):
    monkeypatch.setattr(ipi, "WAIT", 0.0)
    for given, message in (
        (
            {"unix": str(tmp_path / "none")},
            "`unix` must be where i-PI listens, got .*none .No such",
        ),
        ({"inet": "localhost"}, "`inet` must be HOST:PORT, such as localhost:31415, got localhost"),
        ({"inet": "127.0.0.1:1"}, "`inet` must be where i-PI .* start `i-pi`, with the same addr"),
    ):
        with pytest.raises(ValueError, match=message):
            ipi.serve(structure, [model], **given)
    _, errors = answers(structure, [model], (header("WHAT"), 0))
    assert errors == ["the server must speak the protocol of i-PI, got 'WHAT'"]
    _, errors = answers(structure, [model], (positions(read(structure)[:5]), 0))
    assert errors == ["`structure` must have the 5 atoms of i-PI in the same order, got 8"]
    _, errors = answers(structure, [model], (positions(read(structure))[:50], 0))
    assert errors == ["the server must send whole messages, got a part of one"]


INPUT = """
<simulation verbosity="low">
  <output prefix="run"><properties stride="1" filename="out">
    [ step, conserved{electronvolt}, potential{electronvolt} ]
  </properties></output>
  <total_steps>3</total_steps>
  <ffsocket name="deeptf" mode="unix" pbc="false"><address>ADDRESS</address></ffsocket>
  <system>
    <initialize nbeads="4">
      <file mode="ase"> atoms.extxyz </file>
      <velocities mode="thermal" units="kelvin"> 50 </velocities>
    </initialize>
    <forces><force forcefield="deeptf"/></forces>
    <ensemble><temperature units="kelvin"> 50 </temperature></ensemble>
    <motion mode="dynamics"><dynamics mode="nve">
      <timestep units="femtosecond"> 0.1 </timestep>
    </dynamics></motion>
  </system>
</simulation>
"""


@pytest.mark.skipif(
    not (shutil.which("i-pi") or (Path(sys.executable).parent / "i-pi").exists()),
    reason="needs i-PI: pip install ipi",
)
def test_path_integrals(model, structure, tmp_path):
    program = shutil.which("i-pi") or Path(sys.executable).parent / "i-pi"
    address = address_in(tmp_path)
    (tmp_path / "input.xml").write_text(INPUT.replace("ADDRESS", address))
    server = subprocess.Popen([program, "input.xml"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    assert ipi.serve(structure, [model], address) == 16  # four beads, at the start and in each step
    assert server.wait(20) == 0
    table = np.loadtxt(tmp_path / "run.out")
    assert np.ptp(table[:, 1]) < 0.02 * np.ptp(table[:, 2])  # 4 beads; the integrator's error
    with DeepPot(model) as pot:
        atoms = read(structure)
        energy = pot.eval(atoms.positions, atoms.cell[:], atoms.numbers - 1)[0].item()
    assert table[0, 2] == pytest.approx(energy, rel=1e-5)
