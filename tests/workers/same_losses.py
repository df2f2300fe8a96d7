"""A worker of a test: of each kind of run the loss and the gradient of a step must be those of one
worker with the frames of all.

usage: same_losses.py FOLDER...
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from same_as_large_batch import gradient

from deeptf.data.batch import join
from deeptf.train.launchers import join_workers
from deeptf.train.start import start
from deeptf.train.workers import Workers


def compare(workers):
    run = workers.from_leader(lambda: start("input.json"))
    system, loss = run.data.training.systems[0], run.config.loss
    prefactors = loss.of_model(run.config.model.gives()).prefactors(1.0)
    frames = [system.batch([2 * rank, 2 * rank + 1]) for rank in range(workers.size)]
    told, ours = gradient(run.config, run.values, frames[workers.rank], workers, prefactors)
    alone, large = gradient(run.config, run.values, join(frames), Workers(), prefactors)
    assert abs(ours - large).max() < 1e-10 * abs(large).max(), abs(ours - large).max()
    assert abs(told.mean_loss - alone.mean_loss) < 1e-12 * alone.mean_loss
    print(f"same loss in {Path.cwd().name}", flush=True)


workers = join_workers()
for folder in sys.argv[1:]:
    os.chdir(folder)
    compare(workers)
