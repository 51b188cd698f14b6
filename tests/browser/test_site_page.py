"""Do readers of the site find the other versions, also by keys and with a screen reader?"""

import json
import shutil
from pathlib import Path

from browsing import assert_accessible

STATIC = Path(__file__).parents[2] / "docs/_static"
PAGE = """<!doctype html><html lang="en" data-content_root="../"><meta charset="utf-8">
<title>{name}</title><script src="../_static/versions.js"></script>
<script src="../_static/site.js"></script><a class="sidebar-brand" href="index.html">clipxai</a>
<main><h1>{name}</h1><p role="heading">Look</p>
<pre style="width: 9em; overflow: auto">clipxai playground --out playground.html</pre></main>"""


def test_another_version_is_chosen(tmp_path: Path, browser: object):
    names = ["0.2.0", "0.1.0", "main"]
    for name in names:
        (tmp_path / name / "docs").mkdir(parents=True)
        (tmp_path / name / "_static").mkdir()
        shutil.copy(STATIC / "site.js", tmp_path / name / "_static")
        script = f"globalThis.clipxaiVersions = {json.dumps(names)};"
        (tmp_path / name / "_static/versions.js").write_text(script)
        for page in ("index", "faq"):
            (tmp_path / name / f"docs/{page}.html").write_text(PAGE.format(name=name))
    page = browser.new_page()
    page.goto((tmp_path / "main/docs/faq.html").as_uri())
    chooser = page.get_by_label("version")
    assert chooser.input_value() == "main"
    assert chooser.locator("option").all_inner_texts() == names
    chooser.select_option("0.1.0")
    page.wait_for_url("**/0.1.0/docs/index.html")
    assert page.get_by_label("version").input_value() == "0.1.0"
    shutil.copy(STATIC / "versions.js", tmp_path / "0.1.0/_static")
    page.reload()
    assert not page.locator("select").count(), "of a site alone there is nothing to choose"
    assert_accessible(page)
    page.close()
