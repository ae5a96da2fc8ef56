# Everything that is done here. `make` lists it. A target is a line or two.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
PYTHON ?= python3
export NO_MKDOCS_2_WARNING := 1

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	if command -v uv >/dev/null; then uv pip install -q --python $(BIN)/python --compile-bytecode -c constraints.txt -e '.[lab,gameday,docs,test,postgres,aws]'; \
	else $(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[lab,gameday,docs,test,postgres,aws]'; fi
	@touch $@

setup: .venv/installed  ## Make the environment, .venv

demo: setup  ## A real fault on this machine, found and healed through a runbook
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/demo.sh

test: setup  ## The fast tests, and every runbook against its recording
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not cluster and not faults and not proof and not emulate" -p no:nbval tests
	$(MAKE) --no-print-directory test-runbooks

test-runbooks: setup  ## Every runbook against its recording, its outputs compared
	$(BIN)/python -m pytest -q --nbval --nbval-cell-timeout=60 --nbval-kernel-startup-timeout=60 -p no:cacheprovider runbooks

recorded-outputs: setup  ## Run every runbook on its recording, and keep what it shows
	$(BIN)/jupyter nbconvert --log-level=ERROR --to notebook --execute --inplace runbooks/*/*.ipynb
	$(BIN)/nbstripout --keep-output --keep-count --keep-id --extra-keys "metadata.language_info" runbooks/*/*.ipynb
	$(BIN)/ruff format -q runbooks

test-cluster: setup  ## The checks and the runbooks on a real control plane (Go 1.26 builds it once)
	$(BIN)/python tests/cluster/build.py
	$(BIN)/python -m pytest -q -n 3 --dist loadscope --no-loadscope-reorder -m cluster -p no:nbval --timeout=1800 tests

test-emulate: setup  ## Chat and tickets against an implementation that is not ours (needs Node newer than 20)
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/test-emulate.sh

faults: setup  ## The fault programme at a twentieth of its counts; what must end in a second is alone
	$(BIN)/python -m pytest -q -m faults -p no:nbval -k T04 tests/faults
	$(BIN)/python -m pytest -q -n 4 --dist worksteal -m faults -p no:nbval -k "not T04" tests/faults tests/test_noise.py

proof: setup  ## Every scenario in a live world, three seeds; goes on where the last one ended: docs/reference/proof.json
	$(BIN)/python -m gameday.proof --kept docs/reference/proof.json --page docs/reference/proof.md

proof-three: setup  ## Three scenarios in live worlds
	$(BIN)/python -m pytest -q -m proof -p no:nbval tests/gameday/test_proof.py

soak: setup  ## The whole fault programme; goes on where the last run ended: docs/reference/promises.md
	PYTHONPATH=tests $(BIN)/python -m faults --kept build/soak.json
	PYTHONPATH=tests $(BIN)/python -m faults.promises build/soak.json

mutations: setup  ## Take each safeguard away and see the tests turn red: docs/reference/mutations.md
	PYTHONPATH=tests $(BIN)/python -m faults.mutations

checks-table: setup  ## What kubectl gets from our API server and from a real one: docs/kubernetes-checks.md
	PYTHONPATH=tests $(BIN)/python -m kubectl.table

example: setup  ## Make the example incident that the site shows: a game day up to its post-mortem
	PATH="$(CURDIR)/$(BIN):$$PATH" FIRSTWATCH_RECORDS="$(CURDIR)/incidents" scripts/example.sh

lint: setup  ## Format, lint (notebooks too), types, layers
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup  ## Format everything
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup  ## Build the site, strictly
	$(BIN)/mkdocs build --strict

serve: setup  ## Show the site on this machine
	$(BIN)/mkdocs serve -a 127.0.0.1:8000

check: lint test docs  ## Everything that must hold

bench: setup  ## Measure the claims, each against its peer in one run
	$(BIN)/python -m benchmarks

clean:  ## Remove what can be made again
	rm -rf .venv build site .cache .mypy_cache .pytest_cache .ruff_cache

.PHONY: help setup demo test test-runbooks recorded-outputs test-cluster test-emulate faults proof proof-three soak mutations checks-table example lint format docs serve check bench clean
