"""Models and recordings that many tests need, made once, and what all test processes agree on."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import clipxai as cx

HEADS = {"vit": (2, 1), "resnet": (4, 1)}  # image, text; of the small models in DATA
DATA = Path(__file__).parent / "data"
# begun first, so that no process is left alone with one of them at the end; and of those with a
# browser, which all come later
LONGEST = ("test_notebooks.py", "test_train.py")
LONGEST_WITH_BROWSER = ("test_screen.py",)


def pytest_configure(config):
    """One thread a process: tests run in several processes already, and small tensors are computed
    no faster by threads that wait for each other, on a busy machine many times slower.
    """
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for processes that tests start
    torch.manual_seed(0)


def pytest_collection_modifyitems(items):
    """The longest files first; those with a browser last, as Playwright's event loop runs from its
    first page to the end of the process, and code that looks for one would find it.
    """

    def place(item):
        if item.path.name in LONGEST:
            return LONGEST.index(item.path.name)
        if "browser" not in item.path.parts:
            return len(LONGEST)
        first = item.path.parent.name == "lab", item.path.name in LONGEST_WITH_BROWSER
        return len(LONGEST) + 1 + first.index(True) if any(first) else len(LONGEST) + 3

    items.sort(key=place)


def pytest_collection_finish():
    """What is there now stays to the end: it need not be looked through for garbage again and
    again, and what tests leave behind not after every few objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", params=["vit", "resnet"])
def golden(request, tmp_path_factory):
    """(model loaded from OpenAI's names, the arrays the authors' code gave, architecture)."""
    return golden_of(request.param, tmp_path_factory)


@pytest.fixture(scope="session")
def golden_vit(tmp_path_factory):
    return golden_of("vit", tmp_path_factory)


@pytest.fixture(scope="session")
def golden_resnet(tmp_path_factory):
    return golden_of("resnet", tmp_path_factory)


def golden_of(kind, tmp_path_factory):
    weights = np.load(DATA / f"{kind}_small_weights.npz")
    file = tmp_path_factory.mktemp("weights") / f"{kind}_small.safetensors"
    save_file({name: torch.from_numpy(weights[name].copy()) for name in weights}, file)
    arrays = {
        name: torch.from_numpy(array)
        for name, array in np.load(DATA / f"{kind}_small_outputs.npz").items()
    }
    return cx.load(file, heads=HEADS[kind], activation="quick_gelu"), arrays, kind


@pytest.fixture(scope="session")
def embedded():
    return cx.load()


@pytest.fixture(scope="session")
def scene():
    """A dog and a bicycle on grass, with masks."""
    return cx.scenes.compose(["dog", "bicycle"], background="grass", seed=1)


@pytest.fixture(scope="session")
def trace(embedded, scene):
    return cx.record(embedded, scene.image, ["a dog", "a bicycle", "a pizza"])
