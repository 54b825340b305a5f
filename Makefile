# Thin on purpose: CMake builds, utils/ has the scripts. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export ETC_VENV := $(abspath $(or $(ETC_VENV),.venv))
export CCACHE_SLOPPINESS := pch_defines,time_macros
export PYTHONPATH := $(CURDIR)/python
export PATH := $(ETC_VENV)/bin:/usr/lib/llvm-22/bin:$(PATH)
PYTHON := $(ETC_VENV)/bin/python

.PHONY: help setup build demo test lint format docs wheel bench test-tsan clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Install what is missing: system packages, then Python packages into .venv (or $ETC_VENV)
	@utils/setup.sh

build: setup ## Build etc-opt, the language server and the Python module
	@utils/build.sh

demo: build ## Compile the small checkpoint in test/data and generate text with it on CPU threads
	@$(PYTHON) -m etc_mlir.cli demo

test: build ## Run every test: lit, unit, pytest and lint
	@$(PYTHON) utils/run_tests.py

lint: build ## Run the linters and the checks of tests, documentation and README
	@$(PYTHON) utils/run_tests.py lint

format: setup ## Format C++ and Python in place
	@utils/format.sh

docs: build ## Regenerate docs/dialects, docs/passes.md and the tables of README.md
	@$(PYTHON) utils/gen_docs.py && $(PYTHON) utils/results_table.py

wheel: setup ## Build a wheel that needs no LLVM on the user's machine, into dist/
	@utils/wheel.sh

bench: build ## Measure this machine: a CPU and, where there is one, a GPU
	@utils/bench.sh

test-tsan: setup ## Run the CPU runtime's tests under thread sanitizer
	@utils/test_tsan.sh

clean: ## Remove what was built; the Python environment stays
	rm -rf build build-* dist python/etc_mlir/*.so
