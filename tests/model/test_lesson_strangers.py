"""The table in lesson 05 is what its own cells say where open_clip is there, which builds two of
its three models; a reader without it, as the run that is committed, sees one.
"""

import re
from pathlib import Path

import nbformat
from libraries import open_clip

import clipxai as cx

LESSON = Path(__file__).parents[2] / "notebooks" / "05_your_own_model.ipynb"


def test_table_of_strangers(capsys):
    cells = {cell.id: cell.source for cell in nbformat.read(LESSON, as_version=4).cells}
    told = re.findall(r"^\| ([\w-]+) \| (\d+ of \d+) \|", cells["own-s3"], re.MULTILINE)
    scene = cx.scenes.compose(["owl"], seed=0, size=112)
    assert open_clip.__version__, "which the second cell needs"
    given = {"cx": cx, "scene": scene}
    exec(cells["own-s1"].replace("ZOO = False", "ZOO = True"), given)
    capsys.readouterr()
    exec(cells["own-s2"], given)
    printed = capsys.readouterr().out
    found = re.findall(r"^([\w-]+): (\d+ of \d+) methods", printed, re.MULTILINE)
    assert found == told and [name for name, _ in told] == ["SigLIP", "PE-Core", "ConvNeXt"]
    siglip, perception, convnext = re.findall(r"can be asked: (.*)", printed)
    assert {"clip_surgery", "rollout", "legrad", "bimodal", "m2ib"} <= {*siglip.split(", ")}
    assert "grad_eclip" not in siglip
    assert siglip == perception
    assert all(f" {name}" in convnext for name in ("clip,", "grad_cam", "rise"))
    assert "clip_surgery," not in convnext and "maskclip" not in convnext
    assert printed.count("asked grad_eclip: grad_eclip cannot be asked") == 3
    assert given["strangers"]["PE-Core"].visual.before == 1, "a class token, as the table says"
    assert given["strangers"]["PE-Core"].visual.blocks[0].rotary is not None
