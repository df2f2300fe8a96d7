"""Infrared and Raman spectra of water from molecular dynamics: `python spectrum.py --lmp LAMMPS`.

LAMMPS takes forces from run_fast/model.pb, with the repulsion that md.py adds, and dipoles and
polarizabilities from run_dipole/model.pb and run_polar/model.pb (run.sh fast, dipole, polar): those
of the atoms by `compute deeptf/tensor/atom`, summed up every femtosecond. After 2 ps at 300 K, 20
ps at constant energy are recorded. With the Fourier transforms of dM/dt, and of the trace and the
traceless part of dP/dt,

    infrared   |dM/dt|^2                                (absorption coefficient)
    Raman      |d tr P/3 /dt|^2 + 7/30 |dP_traceless/dt|^2   (both polarizations, reduced)

which are those of the autocorrelation functions, with classical nuclei. They are smoothed by a
Gauss function of 30 per cm and written to run_spectrum/spectrum.txt and .png.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from common import md  # noqa: E402

SCRIPT = """units metal
atom_style atomic
box tilt large
read_data start.data
pair_style hybrid/overlay deeptf ../run_fast/model.pb zbl 2.3 2.6 zbl 0.9 1.3 zero 5.0
pair_coeff * * deeptf O H
pair_coeff 1 1 zbl 1 8 8
pair_coeff 2 2 zbl 2 1 1
pair_coeff * * zero
velocity all create 300 1
timestep 0.0005
thermo 2000
thermo_style custom step temp etotal
fix 1 all nvt temp 300 300 0.05
run 4000
unfix 1
fix 1 all nve
compute dipole all deeptf/tensor/atom ../run_dipole/model.pb O H
compute polar all deeptf/tensor/atom ../run_polar/model.pb O H
compute dipoles all reduce sum c_dipole[*]
compute polars all reduce sum c_polar[*]
fix 2 all ave/time {every} 1 {every} c_dipoles[*] c_polars[*] file tensors.dat format " %.10g"
run 40000
"""
MASSES = {"O": 15.999, "H": 1.008}
TIMESTEP, EVERY = 0.5, 2  # fs, and how many of them lie between two records
WIDTH = 30.0  # 1/cm
MOST = 4500.0  # 1/cm
PER_CM = 33356.41  # wave number of one oscillation in a femtosecond


def recorded(lammps: list[str], place: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return dipoles [F, 3] and polarizabilities [F, 9] of the dynamics, which runs in `place`."""
    data = HERE / "data" / "validation"
    types = np.loadtxt(data / "type.raw", dtype=int)
    coord, box = (np.load(data / "set.000" / f"{name}.npy")[0] for name in ("coord", "box"))
    frame = coord.reshape(-1, 3).astype(float), box.reshape(3, 3).astype(float)
    place.mkdir(exist_ok=True)
    md.write_start(place / "start.data", *frame, types, MASSES)
    (place / "in.lammps").write_text(SCRIPT.format(every=EVERY))
    subprocess.run([*lammps, "-in", "in.lammps", "-log", "log.lammps"], cwd=place, check=True)
    table = np.loadtxt(place / "tensors.dat")
    return table[:, 1:4], table[:, 4:]


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
    """Run the dynamics and draw the spectra."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lmp", nargs="+", default=["lmp"], help="LAMMPS, after mpirun if wanted")
    place = HERE / "run_spectrum"
    found = spectra(*recorded(parser.parse_args().lmp, place))
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
