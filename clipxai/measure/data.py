"""Pictures with true masks: Emoji World, and the public data sets in the folders people have them
in.

    dataset("emoji-world")                  # held-out scenes of a fixed seed, exact masks

`dataset("/data/VOCdevkit/VOC2012")` is recognised by its folders; `public_data.LAYOUTS` has all of
them. `dataset("mine.csv")` is a list of pictures and masks of one's own: see `listed`; in tar
files, as in `dataset("shards/{000..009}.tar")`, masks lie beside their picture: see `in_tars`.
Which classes are asked for, and in which words, stands in a text file (`value: words` a line; "#"
begins a comment); the packaged ones in `clipxai/data/` can be copied, changed and passed as
`classes`. Class names are part of every score, so results keep them.
"""

from importlib.resources import files
from pathlib import Path

from ..many.lists import is_list
from ..many.shards import is_shards
from ..scenes import class_names, noun, sample
from .emoji_world import PROMPT
from .in_tars import open_tars
from .listed import open_list
from .public_data import LAYOUTS, FolderLayout
from .samples import Dataset, Sample

EMOJI_WORLD_SCENES = 1000
PHOTO_PROMPT = "a photo of a {}."


def dataset(
    data: str | Path, layout: str | None = None, classes: str | Path | None = None
) -> Dataset:
    """Open a data set.

    Parameters
    ----------
    data : "emoji-world", or where a data set lies, or a list in CSV or Parquet with the columns
        path, mask and label, or tar files with masks beside each picture (one.jpg, one.dog.png)
    layout : a name in `LAYOUTS`, where a folder holds several
    classes : text file of classes instead of the packaged one

    Returns
    -------
    `Dataset`, whose pictures are read when they are asked for

    Raises
    ------
    FileNotFoundError, ValueError : nothing there; not the folders of any data set, or of several; a
        class file that cannot be read; a list without masks, or with a row that leaves something
        out

    Examples
    --------
    >>> held_out = dataset("emoji-world")
    >>> len(held_out.ids), held_out.prompts[0]
    (1000, 'a photo of a dog')
    """
    if str(data) == "emoji-world":
        if classes is not None:
            raise ValueError("Emoji World knows its own classes: leave out --classes")
        return _emoji_world()
    root = Path(data)
    in_tars = layout is None and is_shards(data)  # a pattern of them is no path
    if not in_tars and not root.exists():
        raise FileNotFoundError(
            f"no such data: {data} (give 'emoji-world', a list of your own (.csv, .parquet), "
            f"tar files, or the folder of {', '.join(LAYOUTS)})"
        )
    if in_tars or (layout is None and is_list(root)):
        name, opening = root.name, open_tars if in_tars else open_list
        named, opened = opening(root, read_classes(classes) if classes else None)
    else:
        name, chosen = _recognised(root, layout)
        named = read_classes(classes or files("clipxai.data") / f"{chosen.classes}.txt")
        opened = chosen.open(root, tuple(named))
    if not opened.ids:
        raise ValueError(
            f"{root} has the folders of {name}, but no picture with an annotation in them"
        )
    told = (Path(classes),) if classes else ()
    return Dataset(
        name=name,
        classes=tuple(named.values()),
        prompt=PHOTO_PROMPT,
        ids=tuple(opened.ids),
        read=opened.read,
        root=root.resolve(),
        files=lambda picture: (*opened.files(picture), *told),
        share=opened.share,
    )


def _recognised(root: Path, layout: str | None) -> tuple[str, FolderLayout]:
    """The one layout that fits a folder, or the one that was asked for, by name."""
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; choose one of {', '.join(LAYOUTS)}")
    candidates = [layout] if layout else list(LAYOUTS)
    fitting = [name for name in candidates if LAYOUTS[name].fits(root)]
    if len(fitting) > 1:
        raise ValueError(f"{root} holds {' and '.join(fitting)}: say which with --layout")
    if not fitting:
        expected = "; ".join(f"{name}: {' + '.join(LAYOUTS[name].needs)}" for name in candidates)
        raise ValueError(
            f"{root} does not have the files of any known data set; expected {expected}"
        )
    return fitting[0], LAYOUTS[fitting[0]]


def read_classes(file: object) -> dict[str, str]:
    """{value in the annotation: words} of a text file with one `value: words` a line.

    Raises
    ------
    FileNotFoundError : no such file
    ValueError : a line that says something else, by its number; no class at all
    """
    file = Path(file) if isinstance(file, str) else file
    if not file.is_file():
        raise FileNotFoundError(f"no such class list: {file}")
    named = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from error
    for number, line in enumerate(lines, 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        value, _, words = line.partition(":")
        if not words.strip():
            raise ValueError(
                f"{file}, line {number}: expected `value: words`, such as `12: dog`, not {line!r}"
            )
        named[value.strip()] = words.strip()
    if not named:
        raise ValueError(f"{file} names no class; expected lines such as `12: dog`")
    return named


def _emoji_world() -> Dataset:
    return Dataset(
        name="emoji-world",
        classes=tuple(map(noun, class_names())),
        prompt=PROMPT,
        ids=tuple(map(str, range(EMOJI_WORLD_SCENES))),
        read=_scene,
        drawn=True,
    )


def _scene(seed: str) -> Sample:
    scene = sample(int(seed))
    # a thing may be wholly hidden behind another: then nothing of it can be found
    seen = [n for n, mask in enumerate(scene.masks) if mask.any()]
    labels = tuple(class_names().index(scene.objects[n]) for n in seen)
    return Sample(
        scene.image,
        labels,
        scene.masks[seen],
        without=lambda n: scene.without(scene.objects[seen[n]]).image,
    )
