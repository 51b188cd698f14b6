"""Is the playground one page that can only do what it may, and has it every word that it shows?"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import clipxai as cx
from clipxai.cli import main
from clipxai.play import walks
from clipxai.play.packing import pack_model
from clipxai.play.page import LIVE, Playground, engine
from clipxai.play.sentences import VERDICTS, page_words

FOLDER = Path(walks.__file__).parent
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in (FOLDER / "page").glob("*.js"))
FACTS = (FOLDER / "page" / "facts.js").read_text(encoding="utf-8")
CASES = [
    *VERDICTS,
    *(one for walk in walks.WALKS for step in walk["steps"] for one in step["cases"]),
]


@pytest.fixture(scope="module")
def shown() -> Playground:
    return cx.playground()


def test_a_page_of_its_own(shown, tmp_path):
    """No address in it is elsewhere, and its policy lets nothing in but threads of its own text."""
    shown.save(tmp_path / "play.html")
    text = (tmp_path / "play.html").read_text(encoding="utf-8")
    assert text == shown.html and len(text.encode()) < 9_000_000
    assert "default-src 'none'" in LIVE and "worker-src blob:" in LIVE and LIVE in text
    scripts = re.sub(r'"blob": "[^"]*"', "", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|\bfetch\(|eval\(", scripts)
    assert (
        shown._repr_html_().startswith("<iframe") and 'srcdoc="&lt;!doctype' in shown._repr_html_()
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_scripts_are_programs(shown, tmp_path):
    """Joined, no name stands twice: node reads both."""
    page = re.findall(r"<script>(.*?)</script>", shown.html, re.DOTALL)[-1]
    for name, program in (("page.js", page), ("engine.js", engine())):
        (tmp_path / name).write_text(program, encoding="utf-8")
        subprocess.run(["node", "--check", str(tmp_path / name)], check=True)


def test_every_word_that_a_script_shows_is_there():
    used = set(re.findall(r"(?<!maps\.)\bwords\.(?!length)(\w+)", SCRIPTS))
    assert len(used) > 60 and used <= set(page_words())
    assert {f"way:{name}" for name in pack_model(cx.load())[0]["presets"]} <= set(page_words())


def test_sentences_name_facts_that_there_are():
    """What a case needs, and what it fills in, is made by `factsOf`; the last claims nothing."""
    for case in CASES:
        named = {*case.get("when", "").split(" and "), *re.findall(r"\{(\w+)", case["says"])}
        for name in named - {"", "way"}:
            assert re.search(rf"\b{name}\b", FACTS), name
    for walk in walks.WALKS:
        for step in walk["steps"]:
            assert "when" not in step["cases"][-1] and "{" not in step["cases"][-1]["says"]


def test_what_the_page_cannot_be(tmp_path, capsys):
    assert main(["playground", "--out", str(tmp_path / "page.png")]) == 2
    assert "--out ends in .html, not 'page.png'" in capsys.readouterr().err
    model = cx.load()
    model.text.blocks[0].mlp.up.weight.data[0, 0] = 1 / 3
    with pytest.raises(ValueError, match=r"half precision, .*model\.half\(\)\.float\(\)"):
        pack_model(model)
    model = cx.load()
    model.visual.pooling = "mean"
    with pytest.raises(ValueError, match="explain it with clipxai.Explorer"):
        pack_model(model)
