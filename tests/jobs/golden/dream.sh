#!/bin/bash

# Parameters
#SBATCH --account=music
#SBATCH --chdir=/RUN/jobs/code/CONTENT
#SBATCH --constraint='a100|h100'
#SBATCH --cpus-per-task=2
#SBATCH --dependency=afterok:103,afterany:104_0
#SBATCH --gpus-per-node=1
#SBATCH --job-name=own-dream
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --mail-type=FAIL
#SBATCH --mem=4G
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output=/RUN/jobs/slurm/%A/%j_0_log.out
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --signal=USR2@90
#SBATCH --time=60

# setup
module purge
module load gcc
export OMP_NUM_THREADS=2
export MKL_NUM_THREADS=2
export OPENBLAS_NUM_THREADS=2
export GLOO_SOCKET_IFNAME=ib0
export NCCL_SOCKET_IFNAME=ib0
export HDF5_USE_FILE_LOCKING=FALSE
export NUMBA_CACHE_DIR=/RUN/jobs/numba/$(hostname)
export PYTHONPATH=/RUN/jobs/code/CONTENT${PYTHONPATH:+:$PYTHONPATH}
export AESDREAM_SCRATCH="$TMPDIR"

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output /RUN/jobs/slurm/%A/%j_%t_log.out --kill-on-bad-exit=1 --wait=120 --cpus-per-task=2 /PYTHON -u -m submitit.core._submit /RUN/jobs/slurm/%A


# teardown
code=$?
lost=/RUN/jobs/attempts/$SLURM_JOB_ID.lost
case "$code" in 0 | 2 | 3) exit "$code" ;; 85) ;; *)
    mkdir -p "${lost%/*}"; { echo "$code" >> "$lost" && [ "$(wc -l < "$lost")" -le 3 ]; } || exit "$code"
    echo "lost with exit code $code; handed in again" ;;
esac
scontrol requeue "$SLURM_JOB_ID" && sleep 60
exit "$code"
