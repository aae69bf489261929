#!/bin/bash
# One node at your fingertips: a shell on it, or one command that runs there and comes back.
#
#     slurm/interactive.sh                                          # a shell; aesdream run ... --on here uses what the node gave you
#     slurm/interactive.sh aesdream run STUDY.yaml --until train    # one call, its output here
#
# What to ask for is SLURM_OPTIONS, by default four CPUs for an hour:
#
#     SLURM_OPTIONS="-p gpu -A music --gpus-per-node=1 -c 8 -t 120" slurm/interactive.sh
#
# aesdream must be on the PATH of the node: by your environment, or by AESDREAM_VENV=/path/to/.venv.
set -euo pipefail
[ -z "${AESDREAM_VENV:-}" ] || PATH=$AESDREAM_VENV/bin:$PATH
read -r -a options <<<"${SLURM_OPTIONS:---cpus-per-task=4 --time=60}"

if [ $# -eq 0 ]; then
    exec srun --nodes=1 --ntasks=1 "${options[@]}" --pty bash -i
fi
exec srun --nodes=1 --ntasks=1 --unbuffered "${options[@]}" "$@"
