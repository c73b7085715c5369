# make                          set up, run the digits preset, render the article
# make reproduce PRESET=paper   another preset; ARGS are passed on to snakemake: ARGS="--config models=mlp-1x512"
# make article PRESET=paper     render from results that are there, without running anything else
# make test                     set up and run all tests
# make clean                    remove the environment; data, runs and results stay

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := reproduce
MAKEFLAGS += --no-print-directory

PRESET ?=
ARGS ?=
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

# Snakemake stops at the second --config, so the preset joins the one that ARGS may hold.
CONFIG := $(if $(PRESET),preset=$(PRESET))
SNAKEMAKE_ARGS := $(if $(findstring --config,$(ARGS)),$(subst --config,--config $(CONFIG),$(ARGS)),$(if $(CONFIG),--config $(CONFIG)) $(ARGS))

.PHONY: reproduce article test check setup lock clean

reproduce: setup
	@$(RUN) rethinking check $(if $(PRESET),--preset $(PRESET)) > /dev/null
	@$(RUN) snakemake $(SNAKEMAKE_ARGS)
	@echo "The article: $(CURDIR)/report/_site/index.html"
	@echo "As a PDF:    $(CURDIR)/report/_site/index.pdf"

article: setup
	@$(RUN) rethinking article $(if $(PRESET),--preset $(PRESET)) > /dev/null
	@echo "The article: $(CURDIR)/report/_site/index.html"

test: check
	@$(RUN) pytest $(ARGS)

check: setup
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy
	@$(RUN) snakefmt --check Snakefile workflow
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
