"""Trains a NEP with torchnep, in its environment: python nep_train.py INPUT FRAMES FOLDER.

INPUT is a nep.in, FRAMES an extended XYZ file; FOLDER/nep_best.txt is the potential. A run that was
stopped goes on. One thread, no validation: the held-out frames have no part in it.
"""

import sys

import torch
from torchnep import train_nep

if __name__ == "__main__":
    torch.set_num_threads(1)
    train_nep(
        *sys.argv[1:3],
        output_dir=sys.argv[3],
        device="cpu",
        use_compile=False,
        run_seed=1,
        prediction_interval=0,
        checkpoint_interval=20,
    )
