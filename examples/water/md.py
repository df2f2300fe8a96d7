"""Molecular dynamics of water with the trained model: `python md.py --lmp .../bin/lmp`.

The data have no O-O below 2.4 A and no H-H below 1.3 A, and a model of so few of them may let
atoms go there: the nuclear repulsion of ZBL is added where they would begin to.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from common import md  # noqa: E402

PAIR = """pair_style hybrid/overlay deeptf model.pb zbl 2.3 2.6 zbl 0.9 1.3
pair_coeff * * deeptf {names}
pair_coeff 1 1 zbl 1 8 8
pair_coeff 2 2 zbl 2 1 1"""
SETTINGS = md.Settings(
    masses={"O": 15.999, "H": 1.008},
    temperature=350,
    timestep=0.0005,
    steps=10000,
    farthest=5.0,
    pair=PAIR,
)

if __name__ == "__main__":
    md.main(SETTINGS, HERE)
