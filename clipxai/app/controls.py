"""What can be set in the Explorer? One widget for every choice, and how they stand beside one
another.
"""

import html
from collections.abc import Mapping, Sequence
from typing import get_args

import ipywidgets as w

from ..explainers.presets import AttentionKind
from ..model.clip import CLIP
from ..scenes import backgrounds
from .scene_editor import SceneEditor
from .session import (
    counterpart,
    fitting,
    rewrite_of,
    subtracted,
    switches_of,
    without_effect,
)
from .silencer import Silencer
from .views import OF_A_METHOD, OF_A_TEXT, VIEWS

NOTHING = "—"
SOURCES = {"scene": "compose", "file": "file", "upload": "upload"}
SUBTRACTIONS = {"the empty text": "empty", "what the texts share": "labels", "nothing": "nothing"}
FORMATS = ("html", "png", "npz", "py")
LABEL = {"description_width": "78px"}
# switches that a ResNet, which ends in one attention, does not have
NEEDS_BLOCKS = ("dual_path", "ffn")


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


def labelled(kind: type, label: str, **values: object) -> w.Widget:
    """A control with its name at the left."""
    return kind(description=label, style=LABEL, layout=wide(), **values)


def part(kind: type, label: str, width: str, **values: object) -> w.Widget:
    """A control with its name close beside it; several stand in one row."""
    style = {"description_width": "initial"}
    layout = w.Layout(width=width, margin="0")
    return kind(description=label, style=style, layout=layout, **values)


def toggles(names: Mapping[str, str], **values: object) -> w.ToggleButtons:
    """A button for every {value: label}, of which one is pressed."""
    options = {label: value for value, label in names.items()}
    return w.ToggleButtons(options=options, style={"button_width": "auto"}, **values)


class Controls:
    """Every control by name, and `panel`, in which they stand below one another.

    Parameters
    ----------
    models : names to choose from
    sources : where an image may come from: name -> label
    texts : what to look for first
    """

    def __init__(
        self, models: Sequence[str], sources: Mapping[str, str], texts: Sequence[str]
    ) -> None:
        self._make_image(sources)
        self._make_question(models, texts)
        self._make_switches()
        self._make_silence()
        self._make_actions()
        self.methods = w.VBox([self.method, self.beside], layout=wide())
        parts = [self.attention, self.blocks, self.subtract, self.dual_path, self.ffn]
        self.surgery = w.Box(parts, layout=w.Layout(flex_flow="row wrap", margin="0 10px"))
        self.surgery.add_class("clipxai-parts")
        self.panel = self._panel()

    def _make_image(self, sources: Mapping[str, str]) -> None:
        self.source = toggles(sources, layout=wide())
        self.scene = SceneEditor(["cat", "guitar"])
        self.background = w.Dropdown(options=backgrounds(), value="wood", layout=half())
        self.background.tooltip = "background"
        self.seed = part(w.BoundedIntText, "seed", "104px", value=0, min=0, max=10**6)
        self.path = labelled(w.Text, "path", placeholder="photo.jpg", continuous_update=False)
        self.upload = w.FileUpload(
            accept="image/*", multiple=False, description="choose an image", layout=wide()
        )
        self.of_source = {
            "scene": w.VBox(
                [self.scene, w.HBox([self.background, self.seed], layout=wide())], layout=wide()
            ),
            "file": self.path,
            "upload": self.upload,
        }

    def _make_question(self, models: Sequence[str], texts: Sequence[str]) -> None:
        self.model = labelled(w.Dropdown, "model", options=list(models))
        self.folder = labelled(
            w.Text, "or load", placeholder="folder or file of a CLIP", continuous_update=False
        )
        self.texts = w.Textarea(
            value="\n".join(texts), rows=3, placeholder="one text per line", layout=wide()
        )
        self.text = labelled(w.Dropdown, "words of", options=list(texts))
        # what fits the model is offered later
        self.method = labelled(w.Dropdown, "method", options=["clip_surgery"])
        self.beside = labelled(w.Dropdown, "beside it", options=[NOTHING])
        self.view = toggles({"methods": "methods"} | {n: row.label for n, row in VIEWS.items()})

    def _make_switches(self) -> None:
        self.attention = part(w.Dropdown, "attention", "150px", options=get_args(AttentionKind))
        self.blocks = part(w.IntSlider, "last layers", "210px", min=0, max=12)
        self.subtract = part(w.Dropdown, "subtract", "200px", options=SUBTRACTIONS)
        self.dual_path = part(w.Checkbox, "dual path", "auto", indent=False)
        self.ffn = part(w.Checkbox, "keep the FFN", "auto", indent=False)
        self.switches = {  # fields of `Rewrite`
            "attention": self.attention,
            "blocks": self.blocks,
            "dual_path": self.dual_path,
            "ffn": self.ffn,
        }
        self._fitting: set[str] = set()  # those that the method and the model have

    def _make_silence(self) -> None:
        self.silencing = w.ToggleButton(
            description="silence",
            icon="volume-off",
            tooltip="what if it were not there? Click heads, FFNs, patches or words off",
            layout=w.Layout(width="auto", flex="0 0 auto", margin="0 0 0 auto"),
        )
        self.leave_out = w.ToggleButton(
            description="leave out",
            icon="eraser",
            tooltip="the scene without each of its things: how the cosine truly changes, beside "
            "where each map is brightest",
            layout=w.Layout(width="auto", flex="0 0 auto", margin="0 0 0 4px"),
        )
        self.as_code = w.ToggleButton(
            description="as code",
            icon="code",
            tooltip="the program that shows the same, to go on from",
            layout=w.Layout(width="auto", flex="0 0 auto", margin="0 0 0 4px"),
        )
        self.code = w.HTML(layout=w.Layout(margin="2px 10px", width="auto", display="none"))
        self.code.add_class("clipxai-code")
        self.left_out = w.HTML(layout=w.Layout(margin="2px 10px", width="auto"))
        self.left_out.add_class("clipxai-left-out")
        self.silencer = Silencer()
        self.scored = w.HTML(layout=half())
        self.hear = w.Button(
            description="hear everything again", layout=w.Layout(width="auto", margin="0")
        )
        scores = w.HBox([self.scored, self.hear], layout=wide())
        self.silence = w.VBox([self.silencer, scores], layout=w.Layout(margin="0 10px"))
        self.silence.add_class("clipxai-silence")

    def _make_actions(self) -> None:
        def button(label: str, icon: str, tip: str, layout: w.Layout) -> w.Button:
            return w.Button(description=label, icon=icon, tooltip=tip, layout=layout)

        self.run = button(
            "Run", "play", "ask again from scratch, for instance after a file has changed", half()
        )
        self.cancel = button("Cancel", "stop", "stop what is running", half())
        self.undo = button("Undo", "undo", "choose again what was chosen before", half())
        thin = w.Layout(width="100%", height="4px", margin="0", visibility="hidden")
        self.progress = w.FloatProgress(min=0, max=1, layout=thin)
        self.message = w.HTML(layout=w.Layout(margin="2px 10px", width="auto"))
        self.message.add_class("clipxai-message")
        self.banner, self.note = w.HTML(), w.HTML()  # what could mislead, and what is missing
        self.banner.add_class("clipxai-banner")
        self.note.add_class("clipxai-note")
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

    def _panel(self) -> w.VBox:
        panel = w.VBox(
            [
                self.source,
                *self.of_source.values(),
                heading("texts, one per line"),
                self.texts,
                self.text,
                heading("model and method"),
                self.model,
                self.folder,
                self.methods,
                w.HBox([self.run, self.cancel, self.undo], layout=wide()),
                self.progress,
                heading("take it with you"),
                w.HBox([self.name, self.format, self.save], layout=wide()),
                self.keep,
            ],
            layout=w.Layout(flex="0 0 auto"),
        )
        panel.add_class("clipxai-panel")
        return panel

    def offer(self, model: CLIP, method: str, beside: str) -> None:
        """Offer what fits a model and a method, and bring the switches to where the method has
        them.
        """
        names = [row.name for row in fitting(model)]
        self.method.options, self.beside.options = names, [NOTHING, *names]
        self.method.value = method if method in names else "clip_surgery"
        self.beside.value = beside if beside in names else NOTHING
        has_blocks = "blocks" in model.visual.has
        self.silencing.disabled = not has_blocks
        self.silencing.value = self.silencing.value and has_blocks
        self.blocks.max = len(model.visual.blocks) if has_blocks else 1
        preset, allowed = rewrite_of(self.method.value), switches_of(self.method.value)
        kinds = [kind for kind in get_args(AttentionKind) if has_blocks or kind != "gem"]
        if list(self.attention.options) != kinds:
            self.attention.options = kinds
        self._fitting = {n for n in allowed if has_blocks or n not in NEEDS_BLOCKS}
        if preset is not None:
            for name, control in self.switches.items():
                value = getattr(preset, name)
                control.value = min(value, self.blocks.max) if name == "blocks" else value
        self.subtract.disabled = counterpart(self.method.value) is None
        self.subtract.value = subtracted(self.method.value)

    def warn(self, banner: str, note: str) -> None:
        """Say what could mislead, as long as it could."""
        for line, said in ((self.banner, banner), (self.note, note)):
            line.value = f"<span role=status>{html.escape(said)}</span>" if said else ""
            line.layout.display = _shown(bool(said))

    def arrange(self) -> None:
        """Show the controls that belong to what is chosen, and enable those that can change it."""
        for source, control in self.of_source.items():
            control.layout.display = _shown(source == self.source.value)
        self.text.layout.display = _shown(self.view.value in OF_A_TEXT)
        for control in (self.methods, self.surgery):
            control.layout.display = _shown(self.view.value in OF_A_METHOD)
        self.beside.layout.display = _shown(self.view.value == "methods")
        self.leave_out.layout.display = _shown(self.view.value == "methods")
        self.silence.layout.display = _shown(self.silencing.value)
        self.code.layout.display = _shown(self.as_code.value)
        idle = without_effect(self.blocks.value)
        for name, control in self.switches.items():
            control.disabled = name in idle or name not in self._fitting


def _shown(wanted: bool) -> str | None:
    return None if wanted else "none"  # CSS
