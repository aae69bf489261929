# One environment, .venv, made from constraints.txt; every target builds it first where it is missing or out of date.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo demo-instruments truth test lint acceptance bench testbed testbed-stop clean

demo: $(READY)  ## the whole road from sounds to appendix, about five minutes on two cores
	$(BIN)/aesdream run configs/demo.yaml

demo-instruments: $(READY)  ## the instrument study on sampled instruments, about ten minutes on two cores
	$(BIN)/aesdream run configs/demo-instruments.yaml

truth: $(READY)  ## whether dreams tell what networks were taught, and what each network hears; about three and a half hours on two idle cores, goes on where it was stopped
	$(BIN)/aesdream run configs/truth.yaml

test: lint  ## lint, types and every test
	$(BIN)/pytest -n 2 --dist loadgroup

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

acceptance: $(READY)  ## what takes long: kill loops on the demo, the demo's own claims, timings
	$(BIN)/pytest acceptance -p no:cacheprovider -s

testbed:  ## a real Slurm on this machine, for trying the suite without a cluster
	$(PYTHON) slurm/testbed/testbed.py start /tmp/aesdream-testbed

testbed-stop:  ## end that Slurm and all its jobs
	$(PYTHON) slurm/testbed/testbed.py stop /tmp/aesdream-testbed --purge

bench: $(READY)  ## every ratio of docs/performance.md, and its table; about five minutes, on an idle machine
	$(BIN)/python -m benchmarks

# torch first and alone: its exact version takes a CPU wheel where one is at hand.
$(READY): constraints.txt setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $(READY)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
