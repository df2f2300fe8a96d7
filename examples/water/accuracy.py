"""Measures the accuracy of the water labels: tighter settings and finite differences.

Run it after `generate.py label`; it goes on where it stopped.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import accuracy  # noqa: E402
from generate import SETTINGS, SYMBOLS  # noqa: E402

VARIANTS = {
    "60 Ry": {"system": {**SETTINGS.system, "ecutwfc": "60", "ecutrho": "360"}},
    "2x2x2 k-points": {"kpoints": (2, 2, 2, 0, 0, 0)},
}

if __name__ == "__main__":
    options = accuracy.parse(__doc__.splitlines()[0], Path(__file__), frames=(0, 1, 2))
    accuracy.finite_differences(options, SETTINGS, SYMBOLS)
    accuracy.compare_settings(options, SETTINGS, VARIANTS, SYMBOLS)
