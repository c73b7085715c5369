# make                          set up, run the digits preset, render the article
# make reproduce PRESET=paper   another preset; ARGS are passed on to snakemake: ARGS="--config models=mlp-1x512"
# make reproduce PROFILE=slurm  the same on a Slurm cluster, as profiles/slurm says: docs/cluster.md
# make plan PRESET=paper        what that would train, how long it takes here and elsewhere, how much space; runs nothing
# make why PRESET=paper         what that would run now, and why: which setting, code or data changed; runs nothing
# make benchmark PRESET=paper   measure how fast its training is here, beside a plain loop, and what it takes, for make plan
# make push, make pull          bring what is recorded of a preset to a data remote, or here: REMOTE=name, WEIGHTS=0
# make article PRESET=paper     render from results that are there, without running anything else
# make report PRESET=paper      put the workflow's record beside the article: every result, rule and setting in one file
# make publish PRESET=paper     push the rendered article to the branch gh-pages: REMOTE=name, ARGS=--dry-run
# make codecheck                compare the results here with those that Git has recorded
# make test                     set up and run all tests
# make clean                    remove the environment; data, runs and results stay

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := reproduce
MAKEFLAGS += --no-print-directory

PRESET ?=
PROFILE ?=
ARGS ?=
PYTHON ?= python3
REMOTE ?=
WEIGHTS ?= 1

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Compiled modules are kept, even where the user's environment says otherwise: without them torch takes twice as long to
# start, once a cell.
RUN := env -u PYTHONDONTWRITEBYTECODE PATH="$(CURDIR)/$(BIN):$$PATH"

# Snakemake stops at the second --config, so the preset joins the one that ARGS may hold.
CONFIG := $(if $(PRESET),preset=$(PRESET))
SNAKEMAKE_ARGS := $(if $(PROFILE),--workflow-profile $(PROFILE)) \
  $(if $(findstring --config,$(ARGS)),$(subst --config,--config $(CONFIG),$(ARGS)),$(if $(CONFIG),--config $(CONFIG)) $(ARGS))
FOR_PRESET := $(if $(PRESET),--preset $(PRESET))
ARTICLE := $(CURDIR)/articles/$(or $(PRESET),$(shell sed -n 's/^preset: *\([^ \#]*\).*/\1/p' params.yaml))/index
SHOW_ARTICLE = if [ -e $(ARTICLE).html ]; then echo "The article: $(ARTICLE).html"; echo "As a PDF:    $(ARTICLE).pdf"; fi

.PHONY: reproduce plan why benchmark push pull article report publish codecheck test check setup lock clean

# What is finished is recorded for DVC even if a cell has failed; the stage counts as up to date once all of it has run.
reproduce: setup
	@$(RUN) rethinking check $(FOR_PRESET) > /dev/null
	@$(RUN) snakemake $(SNAKEMAKE_ARGS) || { status=$$?; $(RUN) rethinking record $(FOR_PRESET); exit $$status; }
	@$(RUN) rethinking record $(FOR_PRESET) $(if $(ARGS),,--stage)
	@$(SHOW_ARTICLE)

plan why: setup
	@$(RUN) rethinking $@ $(FOR_PRESET) $(ARGS)

benchmark: setup
	@$(RUN) rethinking speed $(FOR_PRESET) $(ARGS)
	@$(RUN) rethinking benchmark $(FOR_PRESET) $(ARGS)

push pull: setup
	@$(RUN) rethinking $@ $(FOR_PRESET) $(if $(REMOTE),--remote $(REMOTE)) $(if $(filter 0 no,$(WEIGHTS)),--no-weights)

article: setup
	@$(RUN) rethinking article $(FOR_PRESET) > /dev/null
	@$(SHOW_ARTICLE)

report: setup
	@record=$$($(RUN) rethinking report $(FOR_PRESET)); echo "The record: $(CURDIR)/$$record"

publish: setup
	@$(RUN) rethinking publish $(FOR_PRESET) $(if $(REMOTE),--remote $(REMOTE)) $(ARGS)

codecheck: setup
	@$(RUN) rethinking codecheck $(FOR_PRESET) $(ARGS)

# Three processes on two cores: many of the tests wait, for a cluster's queue for example.
test: check
	@$(RUN) pytest -n 3 $(ARGS)

check: setup
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy
	@$(RUN) snakefmt --check workflow
	@$(RUN) snakemake --lint

setup: $(READY)

# uv is taken from PATH, or else from PyPI in the version and with the hash that the lock names.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, found $$($(PYTHON) --version 2>&1); name another one with make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up the environment in $(VENV) (about 6 GB, once) ..."
	@uv=$$(command -v uv || echo .uv/bin/uv); \
	if ! "$$uv" --version > /dev/null 2>&1; then \
	  $(PYTHON) -m venv .uv || { echo "$(PYTHON) -m venv failed: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }; \
	  sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^    --hash/p}' requirements.lock > .uv/requirements.txt; \
	  .uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .uv/requirements.txt; \
	fi; \
	"$$uv" venv --quiet --allow-existing --python $(PYTHON) $(VENV); \
	"$$uv" pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; \
	"$$uv" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(READY)

# After a change of pyproject.toml's dependencies.
lock: setup
	@$(RUN) uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev \
	  --no-emit-index-url --no-header pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .uv
