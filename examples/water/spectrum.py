"""Infrared and Raman spectra of water from molecular dynamics: `python spectrum.py`.

Forces come from run_fast/model.pb, dipoles and polarizabilities from run_dipole/model.pb and
run_polar/model.pb (run.sh fast, dipole, polar). After 2 ps at 300 K, 20 ps at constant energy are
recorded every femtosecond. With the Fourier transforms of dM/dt, and of the trace and the traceless
part of dP/dt,

    infrared   |dM/dt|^2                                   (absorption coefficient)
    Raman      |d tr P/3 /dt|^2 + 7/45 * 3/2 |d P_aniso/dt|^2     (parallel and crossed, reduced)

which are those of the autocorrelation functions, classical nuclei throughout. Spectra are smoothed
by a Gauss function of 15 per cm and written to run/spectrum.txt and run/spectrum.png.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.md.verlet import VelocityVerlet

from deeptf.infer import DeepDipole, DeepPolar
from deeptf.infer.ase import DP

HERE = Path(__file__).resolve().parent
TEMPERATURE = 300  # K
TIMESTEP = 0.5  # fs
EVERY = 2  # steps
WARM_UP, STEPS = 4000, 40000
WIDTH = 15.0  # 1/cm
MOST = 4500.0  # 1/cm
PER_CM = 33356.41  # wave number of one oscillation in a femtosecond


def trajectory() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates [F, N, 3], the cell and the types."""
    data = HERE / "data" / "validation"
    types = np.loadtxt(data / "type.raw", dtype=int)
    coord, box = (np.load(data / "set.000" / f"{name}.npy")[0] for name in ("coord", "box"))
    symbols = np.where(types == 0, "O", "H")
    atoms = Atoms(symbols, coord.reshape(-1, 3), cell=box.reshape(3, 3), pbc=True)
    atoms.calc = DP(HERE / "run_fast" / "model.pb")
    rng = np.random.default_rng(1)
    MaxwellBoltzmannDistribution(atoms, temperature_K=TEMPERATURE, rng=rng)
    step = TIMESTEP * units.fs
    Langevin(atoms, step, temperature_K=TEMPERATURE, friction=0.02 / units.fs, rng=rng).run(WARM_UP)
    dynamics, frames, heat = VelocityVerlet(atoms, step), [], []
    dynamics.attach(lambda: frames.append(atoms.positions.copy()), interval=EVERY)
    dynamics.attach(lambda: heat.append(atoms.get_temperature()), interval=EVERY)
    energy = atoms.get_total_energy()
    dynamics.run(STEPS)
    drift = (atoms.get_total_energy() - energy) / len(atoms)
    print(f"{np.mean(heat):.0f} K on average, drift of the energy {1e3 * drift:.2f} meV/atom")
    return np.array(frames), atoms.cell[:], types


def power(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return wave numbers in 1/cm, and the power of the time derivative of [F, ...] there."""
    rate = np.gradient(series.reshape(len(series), -1), axis=0)
    rate *= np.hanning(len(rate))[:, None]
    found = (np.abs(np.fft.rfft(rate, axis=0)) ** 2).sum(axis=1)
    wave = np.fft.rfftfreq(len(rate), TIMESTEP * EVERY) * PER_CM
    around = np.arange(-4 * WIDTH, 4 * WIDTH, wave[1])
    weight = np.exp(-((around / WIDTH) ** 2) / 2)
    smooth = np.convolve(found, weight / weight.sum(), mode="same")
    return wave[wave < MOST], smooth[wave < MOST]


def spectra(dipole: np.ndarray, polar: np.ndarray) -> dict[str, np.ndarray]:
    """Return wave numbers and spectra, the largest number of each 1, of [F, 3] and [F, 9]."""
    matrix = polar.reshape(-1, 3, 3)
    trace = np.trace(matrix, axis1=1, axis2=2) / 3
    rest = matrix - trace[:, None, None] * np.eye(3)
    wave, infrared = power(dipole)
    raman = power(trace)[1] + 7 / 30 * power(rest)[1]
    return {"1/cm": wave, "infrared": infrared / infrared.max(), "raman": raman / raman.max()}


def peaks(wave: np.ndarray, intensity: np.ndarray) -> list[int]:
    """Return the wave numbers of peaks that rise by a tenth of the highest one above valleys."""
    from scipy.signal import find_peaks

    found, _ = find_peaks(intensity, prominence=0.1, width=8)
    return [round(wave[k]) for k in found]


def main() -> None:
    """Run the dynamics, evaluate the frames and draw the spectra."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    coord, cell, types = trajectory()
    cells = np.tile(cell.ravel(), (len(coord), 1))
    with (
        DeepDipole(HERE / "run_dipole" / "model.pb") as of_dipole,
        DeepPolar(HERE / "run_polar" / "model.pb") as of_polar,
    ):
        tensors = [model.eval(coord, cells, types, atomic=False) for model in (of_dipole, of_polar)]
    found = spectra(*tensors)
    place = HERE / "run"
    place.mkdir(exist_ok=True)
    np.savetxt(place / "spectrum.txt", np.array(list(found.values())).T, header=" ".join(found))
    figure, axes = pyplot.subplots(2, 1, sharex=True, figsize=(7, 5), layout="constrained")
    wave = found.pop("1/cm")
    for axis, (name, intensity) in zip(axes, found.items(), strict=True):
        axis.plot(wave, intensity, lw=1.2)
        axis.set(ylabel=f"{name} (arbitrary)", xlim=(0, MOST), ylim=0)
        print(f"{name}: peaks at {', '.join(map(str, peaks(wave, intensity)))} 1/cm")
    axes[-1].set_xlabel("wave number (1/cm)")
    figure.savefig(place / "spectrum.png", dpi=110)


if __name__ == "__main__":
    main()
