# Each of these sets up what it needs in .venv and is quick when that is done already.
#   make demo   a CLIP Surgery heat-map from the embedded model, as PNG and as a page
#   make test   everything that is checked
#   make lab    JupyterLab on the first lesson
#   make fuzz   10,000 damaged inputs and odd arguments: an answer or a clear line (a few minutes)
#   make kills  160 runs that are killed, find no room, or meet another: the next one makes it good
#   make soak   a session of 1,500 loops and 400 explorers: memory, handles, threads, widgets
#   make docs   the site: lessons, gallery, how-to pages and reference, as docs/site/index.html

PYTHON ?= python3
PY := .venv/bin/python
# compiled is what is imported, when it is: of all files it takes longer than to install them
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-compile
INSTALL := $(PIP) --constraint constraints.txt --editable
UV := .venv/bin/uv pip install --quiet --python $(PY) --constraint constraints.txt --editable
# where it is set, each of the tests' processes would compile torch once more: seconds, every time
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test fuzz kills soak lab docs benchmark clean

demo: .venv/ready
	@mkdir -p demo
	$(PY) -m clipxai compare clipxai/data/samples/cat-guitar.png "a cat" "a guitar" \
	    --methods clip,clip_surgery --out demo/cat-guitar.png --out demo/cat-guitar.html
	@echo "open demo/cat-guitar.html in a browser"

test: .venv/ready-test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(PY) -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

fuzz: .venv/ready-test
	$(PY) tests/fuzz/run.py --out fuzz

kills: .venv/ready-test
	$(PY) tests/fuzz/kills.py --out kills

soak: .venv/ready-test
	$(PY) tests/fuzz/soak.py

lab: .venv/ready-lab
	$(PY) -m clipxai lab

docs: .venv/ready-docs
	$(PY) docs/build.py
	@echo "open docs/site/index.html in a browser"

benchmark: .venv/ready
	$(PY) benchmarks/surgery_cost.py
	$(PY) benchmarks/feature_surgery_memory.py
	$(PY) benchmarks/loading.py
	$(PY) benchmarks/methods_cost.py
	$(PY) benchmarks/bench_overhead.py
	$(PY) benchmarks/folder_throughput.py
	$(PY) benchmarks/start_up.py

clean:
	rm -rf .venv demo fuzz kills docs/site docs/jupyter_execute dist build tests/js/node_modules

.venv/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 10) else f"clipxai needs Python 3.10 or newer, this is {v.major}.{v.minor}: make demo PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/ready: .venv/python pyproject.toml constraints.txt
	@echo "installing clipxai and what it needs into .venv (once; torch is large) …"
	$(INSTALL) .
	@touch $@

.venv/ready-lab: .venv/ready
	$(INSTALL) '.[lab]'
	@touch $@

.venv/ready-docs: .venv/ready
	$(INSTALL) '.[docs]'
	@touch $@

# torch by pip, which also finds wheels beside the index; two hundred others by uv, in seconds, or
# by pip where uv reaches no index. Beside the first, what is compared with; beside the second,
# torch is compiled, which each of the tests' processes would do by itself
.venv/ready-test: .venv/python pyproject.toml constraints.txt tests/model/zoo.txt
	@echo "installing clipxai and what its tests need into .venv (once; torch is large) …"
	$(PIP) --no-deps --upgrade --target .venv/zoo --requirement tests/model/zoo.txt & \
	    $(PIP) --constraint constraints.txt torch uv && wait $$!
	$(PY) -W ignore -c 'import torch._dynamo' & \
	    { $(UV) '.[test]' || $(INSTALL) '.[test]'; } && wait $$!
	@touch .venv/ready $@
