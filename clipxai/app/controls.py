"""What can be set in the Explorer? One widget for every choice, and how they stand beside one
another.
"""

from collections.abc import Mapping, Sequence
from typing import get_args

import ipywidgets as w

from ..explainers.presets import AttentionKind
from ..scenes import backgrounds, class_names

NOTHING = "—"
SOURCES = {"scene": "compose", "file": "file", "upload": "upload"}
VIEWS = {
    "methods": "methods",
    "attention": "attention",
    "modules": "attention or FFN",
    "words": "words",
}
SUBTRACTIONS = {"the empty text": "empty", "what the texts share": "labels", "nothing": "nothing"}
FORMATS = ("html", "png", "npz")
LABEL = {"description_width": "84px"}
STYLE = """<style>
.clipxai-explorer { gap: 0 18px; padding: 4px 2px; align-items: flex-start; }
.clipxai-explorer .clipxai-panel {
  gap: 3px; padding: 8px 12px 10px; border: 1px solid var(--jp-border-color2, #ccc);
  border-radius: 6px; overflow: hidden;
}
.clipxai-explorer .widget-html-content > b {
  font-size: 11px; letter-spacing: .06em; text-transform: uppercase;
  color: var(--jp-ui-font-color2, #666);
}
.clipxai-explorer .clipxai-message { line-height: 1.4; min-height: 20px; overflow-wrap: anywhere; }
.clipxai-explorer .clipxai-message code {
  white-space: normal; font-size: 12px; color: var(--jp-ui-font-color2, #666);
  background: none; padding: 0;
}
.clipxai-explorer .clipxai-message [role=alert] { color: var(--jp-error-color1, #c62828); }
.clipxai-explorer .clipxai-stage, .clipxai-explorer .clipxai-main { overflow: visible; }
.clipxai-explorer .widget-toggle-buttons { margin: 0; }
.clipxai-explorer .clipxai-panel .progress { height: 4px; margin: 0; align-self: center; }
.clipxai-explorer .clipxai-panel .widget-toggle-buttons > div {
  display: flex; width: 100%; gap: 4px;
}
.clipxai-explorer .clipxai-panel .widget-toggle-button { flex: 1; margin: 0; }
.clipxai-explorer .clipxai-panel .widget-vbox { gap: 3px; overflow: visible; }
.clipxai-explorer .clipxai-panel .widget-hbox { gap: 4px; overflow: visible; }
</style>"""


def wide() -> w.Layout:
    """As wide as the panel. Every widget needs a layout of its own, or hiding one would hide
    all.
    """
    return w.Layout(width="100%", margin="0")


def half() -> w.Layout:
    """As wide as its neighbour."""
    return w.Layout(width="auto", flex="1 1 0", margin="0", min_width="0")


def heading(text: str) -> w.HTML:
    """A small title over a group of controls."""
    return w.HTML(f"<b>{text}</b>", layout=w.Layout(margin="6px 0 0"))


class Controls:
    """Every control by name, and `panel`, in which they stand below one another."""

    def __init__(
        self, models: Sequence[str], sources: Mapping[str, str], texts: Sequence[str]
    ) -> None:
        def labelled(kind: type, label: str, **values: object) -> w.Widget:
            return kind(description=label, style=LABEL, layout=wide(), **values)

        def button(label: str, icon: str, tip: str, layout: w.Layout) -> w.Button:
            return w.Button(description=label, icon=icon, tooltip=tip, layout=layout)

        self.model = labelled(w.Dropdown, "model", options=list(models))
        self.folder = labelled(
            w.Text, "or load", placeholder="folder or file of a CLIP", continuous_update=False
        )
        self.source = w.ToggleButtons(
            options={label: name for name, label in sources.items()},
            style={"button_width": "auto"},
            layout=wide(),
        )
        names = class_names()
        self.objects = [
            labelled(
                w.Dropdown,
                "objects" if n == 0 else "and",
                options=names if n == 0 else [NOTHING, *names],
                value=value,
            )
            for n, value in enumerate(("cat", "guitar", NOTHING))
        ]
        self.background = labelled(w.Dropdown, "background", options=backgrounds(), value="wood")
        self.seed = labelled(w.BoundedIntText, "seed", value=0, min=0, max=10**6)
        self.path = labelled(w.Text, "path", placeholder="photo.jpg", continuous_update=False)
        self.upload = w.FileUpload(
            accept="image/*", multiple=False, description="choose an image", layout=wide()
        )
        self.texts = w.Textarea(
            value="\n".join(texts), rows=3, placeholder="one text per line", layout=wide()
        )
        self.text = labelled(w.Dropdown, "words of", options=list(texts))
        self.method = labelled(w.Dropdown, "method", options=["clip_surgery"])
        self.beside = labelled(w.Dropdown, "beside it", options=[NOTHING])
        self.attention = labelled(w.Dropdown, "attention", options=get_args(AttentionKind))
        self.blocks = labelled(w.IntSlider, "last blocks", min=0, max=12, continuous_update=True)
        self.dual_path = w.Checkbox(description="dual path", indent=False, layout=half())
        self.ffn = w.Checkbox(description="keep the FFN", indent=False, layout=half())
        self.subtract = labelled(w.Dropdown, "subtract", options=SUBTRACTIONS)
        self.view = w.ToggleButtons(
            options={label: name for name, label in VIEWS.items()}, style={"button_width": "auto"}
        )
        self.run = button(
            "Run", "play", "ask again from scratch, for instance after a file has changed", half()
        )
        self.cancel = button("Cancel", "stop", "stop what is running", half())
        self.progress = w.FloatProgress(
            min=0,
            max=1,
            layout=w.Layout(width="100%", height="4px", margin="0", visibility="hidden"),
        )
        self.message = w.HTML(layout=w.Layout(margin="2px 10px", width="auto"))
        self.format = w.Dropdown(options=FORMATS, layout=w.Layout(width="72px", margin="0"))
        self.name = w.Text(
            value="explored", placeholder="file name", continuous_update=False, layout=half()
        )
        self.save = button(
            "Save", "download", "write what is seen to a file", w.Layout(width="76px", margin="0")
        )
        self.keep = button(
            "Keep in the notebook",
            "thumb-tack",
            "keep this figure in the saved notebook, for when no kernel is running",
            wide(),
        )
        self.message.add_class("clipxai-message")
        self.switches = {
            "attention": self.attention,
            "blocks": self.blocks,
            "dual_path": self.dual_path,
            "ffn": self.ffn,
        }
        self.surgery = w.VBox(
            [
                self.method,
                self.beside,
                heading("parts of the surgery"),
                self.attention,
                self.blocks,
                w.HBox([self.dual_path, self.ffn], layout=wide()),
                self.subtract,
            ],
            layout=wide(),
        )
        self.of_source = {
            "scene": w.VBox([*self.objects, self.background, self.seed], layout=wide()),
            "file": self.path,
            "upload": self.upload,
        }
        self.panel = self._panel()

    def _panel(self) -> w.VBox:
        panel = w.VBox(
            [
                heading("image"),
                self.source,
                *self.of_source.values(),
                heading("texts, one per line"),
                self.texts,
                self.text,
                heading("model and method"),
                self.model,
                self.folder,
                self.surgery,
                w.HBox([self.run, self.cancel], layout=w.Layout(width="100%", margin="8px 0 0")),
                self.progress,
                heading("take it with you"),
                w.HBox([self.name, self.format, self.save], layout=wide()),
                self.keep,
            ],
            layout=w.Layout(width="292px", flex="0 0 auto"),
        )
        panel.add_class("clipxai-panel")
        return panel
