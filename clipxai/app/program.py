"""What does one type to see without the Explorer what it shows? A whole program, from the model on,
for whoever wants to go on from there.
"""

from pathlib import Path

from .session import Wish
from .views import WITH_TRUTH


def program(wish: Wish) -> str:
    """Lines of Python that draw what a wish asks for; where points are drawn over the maps, the way
    from the method's map to its mask, and of modules not how much each looks at a thing.

    What no line can make again, a module in memory or an upload, is `...` and a comment that says
    what belongs there.
    """
    line, image = wish.pictured
    return "\n".join(
        [
            "import clipxai as cx",
            "",
            f"model = {_model(wish)}",
            line,
            f"trace = cx.record(model, {image}, {list(wish.texts)!r})",
            f"cx.show({_shown(wish)})",
        ]
    )


def _model(wish: Wish) -> str:
    made = wish.model.provenance
    # what was changed after it was loaded, no file makes again
    source = "" if "since loading" in made else made.get("source", "")
    kind = str(wish.model.dtype).removeprefix("torch.")
    told = [f"dtype={kind!r}"] if kind != "float32" else []
    if source == "embedded":
        return f"cx.load({', '.join(told)})"
    if source and Path(source).exists():
        return f"cx.load({', '.join([repr(source), *told])})"
    return f"...  # {wish.model.name}, as it was given to the Explorer"


def _shown(wish: Wish) -> str:
    truth = ", scene=scene" if wish.masks and wish.view in WITH_TRUTH else ""
    if wish.view != "methods" or wish.sure is not None or not wish.beside:
        return wish.code + truth
    beside = f"cx.explain({wish.silence.code}, {wish.beside!r})"
    maps = dict.fromkeys([beside, wish.code])  # a method beside itself is shown once
    return f"[{', '.join(maps)}]{truth}"
