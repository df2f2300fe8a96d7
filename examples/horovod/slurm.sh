#!/bin/bash
#SBATCH --job-name=deeptf
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
# Submit in the folder of input.json; submit again to go on with a run that the time limit stopped.
# SLURM sends SIGTERM two minutes before the limit: the workers save a checkpoint and stop.
set -u
source .venv/bin/activate
restart=()
if [ -e checkpoint ]; then restart=(--restart .); fi
mpirun --map-by "slot:PE=$SLURM_CPUS_PER_TASK" deeptf train input.json "${restart[@]}" &
training=$!
trap 'pkill -TERM -P $training -f "deeptf train"' TERM
wait $training
wait $training # the first one ends with the signal
