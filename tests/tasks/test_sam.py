"""Segment Anything, in a process of its own: transformers reads pictures for it by torchvision,
whose files lie beside the environment, and looks for it only once.
"""

import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

import clipxai as cx
from clipxai.tasks import sam


def test_with_a_sam():
    checks = Path(__file__).with_name("with_a_sam.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(checks)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-4000:]


def test_what_is_missing_is_named(trace, monkeypatch):
    """Before anything is looked for on the hub."""
    monkeypatch.setattr(sam, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"needs transformers and torchvision: pip install"):
        cx.refine(cx.explain(trace), "facebook/sam-vit-base")


def test_out_of_reach_is_told_once(trace, monkeypatch):
    """By one small file, not by transformers, which tries several of them several times; what is in
    the cache is left to transformers.
    """
    asked = []

    def unreachable(name, **more):
        asked.append((name, *more.values()))
        raise LocalEntryNotFoundError(f"{[*more]} cannot be reached.\nAnd more of that.")

    monkeypatch.setattr(sam, "find_spec", lambda name: True)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", unreachable)
    monkeypatch.setattr("transformers.AutoModelForMaskGeneration.from_pretrained", unreachable)
    for cached, told in ([None, ("config.json", "main")], ["/a/config.json", ("main",)]):
        look_up = Mock(return_value=cached)
        monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", look_up)
        said = r"refine by 'nobody/a-sam': \[.*\] cannot be reached\. Without a network, name"
        with pytest.raises(ValueError, match=said):
            cx.refine(cx.explain(trace), "nobody/a-sam", revision="main")
        assert asked.pop() == ("nobody/a-sam", *told) and not asked
