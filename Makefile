# forkpoint: setup, demo, test, check, bench, golden. No target needs root.
VENV ?= .venv
PY := $(VENV)/bin/python
TORCH ?= torch==2.13.0
PIP_TORCH_ARGS ?=
PIP := $(PY) -m pip install --disable-pip-version-check -q -c constraints.txt
EXTRAS ?= dev
WORKERS ?= 2

.PHONY: help setup demo test check bench golden clean

help:
	@echo "make setup   make $(VENV) with everything forkpoint needs (torch first)"
	@echo "make demo    race the bundled checkpoints on a bundled data set, then show the verdict"
	@echo "make test    the whole test suite"
	@echo "make check   ruff, mypy, import contracts"
	@echo "make bench   benchmarks: ratios, never absolute times"
	@echo "make golden  regenerate golden files and generated pages"

setup: $(VENV)/.forkpoint-ready

$(VENV)/.forkpoint-ready: pyproject.toml constraints.txt scripts/find_python.sh
	@python=$$(sh scripts/find_python.sh) || exit 1; \
	test -x $(PY) || "$$python" -m venv $(VENV)
	$(PIP) $(PIP_TORCH_ARGS) "$(TORCH)"
	$(PIP) -e ".[$(EXTRAS)]"
	@touch $@

demo: setup
	@rm -rf runs/demo
	@HF_HUB_OFFLINE=1 $(VENV)/bin/forkpoint race src/forkpoint/data/bundled/tickets.jsonl \
	  --model pocket-base --model pocket-instruct --model pocket-chat \
	  --budget 50% --out runs/demo --yes

test: setup
	@HF_HUB_OFFLINE=1 $(PY) -m pytest -n $(WORKERS) --dist worksteal

check: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: setup
	@HF_HUB_OFFLINE=1 $(PY) benchmarks/training.py

golden: setup
	@HF_HUB_OFFLINE=1 $(PY) scripts/golden.py

clean:
	rm -rf $(VENV) runs/demo build dist src/*.egg-info
