"""The same verbs on the command line.

clipxai explain photo.jpg "a dog" "a bicycle" --out dog.html
clipxai explain photos/ "a dog" "a bicycle" --out maps/ --format png --format npz
clipxai explain large.jpg "a dog" --window 224 --stride 112
clipxai compare photo.jpg "a dog" --methods clip,clip_surgery,gem
clipxai segment photo.jpg "a dog" "a bicycle" --background "the street" --out regions.png --mask
labels.png clipxai bench --data emoji-world --out runs/bench
clipxai models
clipxai lab
"""

import argparse
import sys
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .explainers.table import Method
    from .model.clip import CLIP
    from .results.explanation import Explanation

DONE, FAILED, MISUSED = 0, 1, 2  # exit codes
FORMATS = ("png", "npz", "html", "svg", "pdf")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a wrong input is one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        # texts in any script, also through a pipe on Windows, which has 256 letters
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    given = _parser().parse_args(arguments)
    try:
        return given.run(given)
    except (ValueError, TypeError, IndexError, OSError) as error:
        print(f"clipxai: {error}", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print("clipxai: interrupted", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("clipxai", description="See what a CLIP model sees.")
    parser.add_argument("--version", action="version", version=f"clipxai {version('clipxai')}")
    commands = parser.add_subparsers(required=True, metavar="command")

    explain = commands.add_parser("explain", help="heat-maps of texts on an image, by one method")
    _about_image(explain, "image file, folder, or quoted pattern such as 'photos/**/*.jpg'")
    explain.add_argument(
        "--method", default="clip_surgery", help="see `clipxai methods` (default: clip_surgery)"
    )
    _about_windows(explain)
    explain.add_argument(
        "--format",
        action="append",
        choices=FORMATS,
        help="of a folder's maps; repeatable (default: png)",
    )
    explain.add_argument(
        "--overwrite",
        action="store_true",
        help="make a folder's maps anew instead of continuing where a run stopped",
    )
    explain.add_argument(
        "--batch",
        type=int,
        default=8,
        help="images of a folder that go through the model together (default: 8)",
    )
    explain.set_defaults(run=_explain)

    compare = commands.add_parser("compare", help="the same by several methods, side by side")
    _about_image(compare)
    compare.add_argument(
        "--methods",
        default="clip,clip_surgery",
        help="names, separated by commas (default: clip,clip_surgery)",
    )
    compare.set_defaults(run=_compare)

    segment = commands.add_parser("segment", help="each pixel to the text that fits it best")
    _about_image(segment)
    _about_windows(segment)
    segment.add_argument(
        "--method",
        default="clip_surgery_architecture",
        help="see `clipxai methods` (default: clip_surgery_architecture)",
    )
    segment.add_argument(
        "--background",
        action="append",
        metavar="TEXT",
        default=[],
        help="one more text, of the background; repeatable",
    )
    segment.add_argument(
        "--threshold", type=float, help="background is also what stays below this, 0 to 1"
    )
    segment.add_argument(
        "--of",
        default="probability",
        choices=("probability", "map"),
        help="what --threshold cuts; map: for known texts",
    )
    segment.add_argument("--mask", help="indexed .png of the labels, in PASCAL VOC's colours")
    segment.set_defaults(run=_segment)

    bench = commands.add_parser(
        "bench", help="every method on a data set with true masks: table, results.json, report.html"
    )
    _about_data(bench)
    bench.set_defaults(run=_bench)

    commands.add_parser("methods", help="the table of methods").set_defaults(run=_methods)
    commands.add_parser("models", help="models that can be loaded").set_defaults(run=_models)
    lab = commands.add_parser("lab", help="JupyterLab on a notebook")
    lab.add_argument(
        "notebook",
        nargs="?",
        default="notebooks/00_start_here.ipynb",
        help="default: the first lesson",
    )
    lab.set_defaults(run=_lab)
    return parser


def _about_image(command: argparse.ArgumentParser, image: str = "image file") -> None:
    command.add_argument("image", help=image)
    command.add_argument(
        "texts", nargs="+", metavar="text", help='what to look for, such as "a dog"'
    )
    command.add_argument(
        "--model",
        help=(
            "folder, weights file, or name such as ViT-B/16; see `clipxai models` (default: "
            "embedded)"
        ),
    )
    command.add_argument("--revision", help="branch, tag or commit of a model on the hub")
    command.add_argument(
        "--trust",
        action="store_true",
        help="read a TorchScript archive that OpenAI did not publish",
    )
    command.add_argument(
        "--mode",
        default="squash",
        choices=("squash", "crop", "aspect"),
        help="ratio given up (default), centre square, ratio kept",
    )
    command.add_argument(
        "--size", type=int, help="side in pixels the image is resized to (default: the model's own)"
    )
    command.add_argument(
        "--max-pixels",
        type=int,
        help="largest image that is decoded (default: Pillow's guard, 89 million pixels)",
    )
    command.add_argument(
        "--redundant",
        choices=("labels", "empty"),
        help="what feature surgery subtracts (default: empty)",
    )
    command.add_argument(
        "--out",
        action="append",
        help=".html, .png, .svg, .pdf or .npz; repeatable; for a folder of images: a folder",
    )


def _about_windows(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--window",
        type=int,
        help="side of the windows a large image is explained by, averaged where they overlap",
    )
    command.add_argument(
        "--stride", type=int, help="pixels from one window to the next (default: half a window)"
    )


def _about_data(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data",
        default="emoji-world",
        help="emoji-world (default), or a folder in the public layout of a data set",
    )
    command.add_argument("--layout", help="which data set, where a folder holds several")
    command.add_argument(
        "--classes",
        help="text file of classes, one `value: words` per line (default: the packaged one)",
    )
    command.add_argument("--model", help="as for `clipxai explain` (default: embedded)")
    command.add_argument("--revision", help="branch, tag or commit of a model on the hub")
    command.add_argument(
        "--trust",
        action="store_true",
        help="read a TorchScript archive that OpenAI did not publish",
    )
    command.add_argument(
        "--methods",
        help="names, separated by commas (default: all that need only the recorded pass)",
    )
    metrics = (
        "localisation,presence (default), segmentation, given-labels, recognition, inside, "
        "faithfulness, randomisation, sensitivity"
    )
    command.add_argument("--metrics", help=metrics)
    command.add_argument(
        "--templates",
        help=(
            "imagenet (OpenAI's 80) or surgery (CLIP Surgery's 85): average each class over these "
            "prompts"
        ),
    )
    command.add_argument(
        "--size",
        type=int,
        help="side in pixels the pictures are squashed to (default: the model's own)",
    )
    command.add_argument("--limit", type=int, help="use only the first LIMIT pictures")
    command.add_argument(
        "--seed",
        type=int,
        default=0,
        help="chooses absent labels, noise and shuffled weights (default: 0)",
    )
    command.add_argument("--out", required=True, help="folder; the same command continues there")


def _bench(given: argparse.Namespace) -> int:
    from .measure import bench, leaderboard, report
    from .measure.data import dataset
    from .measure.run import run
    from .measure.summary import summary
    from .model.files.checkpoints import load

    if given.limit is not None and given.limit < 1:
        raise ValueError(f"--limit {given.limit}, but at least one picture has to be measured")
    model = load(given.model, revision=given.revision, trust=given.trust)
    methods, metrics = (
        names and [name.strip() for name in names.split(",")]
        for names in (given.methods, given.metrics)
    )
    data = dataset(given.data, given.layout, given.classes)
    started = bench.Bench(
        model, data, methods, metrics, given.seed, templates=given.templates, size=given.size
    )
    rows = run(started, Path(given.out), given.limit)
    if rows is not None:  # the first of several processes speaks for all
        results = summary(started, rows)
        print(leaderboard.text(results))
        print(
            *report.write(
                started, results, rows, Path(given.out), " ".join(["clipxai", *sys.argv[1:]])
            ),
            sep="\n",
        )
    return DONE


def _explain(given: argparse.Namespace) -> int:
    if Path(given.image).is_dir() or (
        any(sign in given.image for sign in "*?[") and not Path(given.image).exists()
    ):
        return _explain_folder(given)
    if given.format:
        raise ValueError("--format is for folders: for one image the suffix of --out decides")
    return _save(given, [given.method])


def _explain_folder(given: argparse.Namespace) -> int:
    if given.window or given.stride:
        raise ValueError("--window and --stride explain one image at a time, not a folder")
    if not given.out or len(given.out) > 1 or Path(given.out[0]).suffix[1:] in FORMATS:
        raise ValueError(
            "a folder of images needs one folder for the maps, --out FOLDER; --format says what is "
            "written there"
        )

    from tqdm import tqdm

    from . import view
    from .explainers.table import find_method
    from .many import folders
    from .many.batches import explain_each, pictures
    from .model.files.checkpoints import load

    _limit_pixels(given)
    out, [options] = Path(given.out[0]), _options(given, [find_method(given.method)])
    images = [
        image for image in pictures(given.image) if out.resolve() not in image.resolve().parents
    ]
    if not images:
        raise ValueError(
            f"all images of {given.image} lie in {out}, where the maps go: choose another --out"
        )
    model = load(given.model, revision=given.revision, trust=given.trust)
    files = folders.outputs(
        images, given.image, out, given.method, dict.fromkeys(given.format or ["png"])
    )
    asked = {"method": given.method, "mode": given.mode, "size": given.size, **options}
    question = {
        "texts": given.texts,
        **asked,
        "model": model.provenance,
        "weights sha256": model.weights_sha256(),
    }
    left, broken = images if given.overwrite else folders.unanswered(files, out, question), []

    with tqdm(total=len(left), desc="explaining", unit="image", disable=None) as bar:

        def leave_out(image: object, error: Exception) -> None:
            broken.append(image)
            bar.write(f"clipxai: left out: {error}", file=sys.stderr)
            bar.update()

        # wrong texts end here
        explained = explain_each(
            model, left, given.texts, **asked, batch=given.batch, broken=leave_out
        )
        with folders.recording(files, left, out, question) as made:
            for image, explanation in explained:
                for file in files[image]:
                    view.save(explanation, file)
                made(image)
                bar.update()
    there, done = len(images) - len(left), len(left) - len(broken)
    print(f"{out}: {done} explained, {there} were there already, {len(broken)} could not be read")
    return FAILED if broken else DONE


def _compare(given: argparse.Namespace) -> int:
    return _save(given, [name.strip() for name in given.methods.split(",") if name.strip()])


def _segment(given: argparse.Namespace) -> int:
    from .explainers.table import find_method
    from .model.files.checkpoints import load
    from .tasks import segment
    from .view import save

    _limit_pixels(given)
    row = find_method(given.method)
    model = load(given.model, revision=given.revision, trust=given.trust)
    given.texts += given.background
    [explanation] = (_by_windows if given.window or given.stride else _by_methods)(
        given, model, [row]
    )
    found = segment(explanation, given.background, given.threshold, of=given.of)
    if given.mask:
        print(found.save_mask(given.mask))
    for out in given.out or ([] if given.mask else [f"{Path(given.image).stem}-segmented.png"]):
        print(save(found, out))
    for name, share in found.legend.items():
        print(f"  {name!r}: {100 * share:.1f} % of the pixels, value {found.classes.index(name)}")
    return DONE


def _save(given: argparse.Namespace, methods: list[str]) -> int:
    outs = given.out or [
        f"{Path(given.image).stem}-{methods[0] if len(methods) == 1 else 'compared'}.png"
    ]
    for out in outs:
        if Path(out).suffix == ".npz" and len(methods) > 1:
            raise ValueError(
                f"{out}: an .npz holds one explanation; save one method at a time with `clipxai "
                "explain`"
            )

    from . import view
    from .explainers.table import find_method
    from .model.files.checkpoints import load

    _limit_pixels(given)
    rows = [find_method(name) for name in methods]
    model = load(given.model, revision=given.revision, trust=given.trust)
    windows = given.run is _explain and (given.window or given.stride)
    explanations = _by_windows(given, model, rows) if windows else _by_methods(given, model, rows)
    shown = explanations[0] if len(explanations) == 1 else view.MethodComparison(explanations)
    for out in outs:
        view.save(shown, out)
        print(out)
    for text, presence in zip(given.texts, explanations[0].presence):
        print(f"  {text!r}: cosine of the whole image with the text {presence:+.3f}")
    for note in dict.fromkeys(note for explanation in explanations for note in explanation.notes):
        print(f"  note: {note}")
    return DONE


def _by_methods(
    given: argparse.Namespace, model: "CLIP", rows: "list[Method]"
) -> "list[Explanation]":
    from tqdm import tqdm

    from .explainers.explain import explain
    from .trace.record import record

    told = _options(given, rows)
    trace = record(model, given.image, given.texts, mode=given.mode, size=given.size)
    shown = tqdm(rows, "explaining", disable=None if len(rows) > 1 else True, leave=False)
    return [explain(trace, row.name, **options) for row, options in zip(shown, told)]


def _by_windows(
    given: argparse.Namespace, model: "CLIP", rows: "list[Method]"
) -> "list[Explanation]":
    from .many.windows import explain_windows

    if given.mode != "squash":
        raise ValueError(
            f"--mode {given.mode} does not go with windows: they cover the whole image and keep "
            "its ratio"
        )
    how = {"window": given.window, "stride": given.stride, "size": given.size}
    told = _options(given, rows)
    return [
        explain_windows(model, given.image, given.texts, row.name, **how, **options)
        for row, options in zip(rows, told)
    ]


def _options(given: argparse.Namespace, rows: "list[Method]") -> list[dict[str, object]]:
    """What each method is told besides; what none of them understands is an error."""
    told = [
        {"redundant": given.redundant} if given.redundant and "redundant" in row.options else {}
        for row in rows
    ]
    if given.redundant and not any(told):
        raise ValueError(
            f"--redundant {given.redundant}, but {' and '.join(row.name for row in rows)} "
            "subtracts nothing that texts share"
        )
    return told


def _limit_pixels(given: argparse.Namespace) -> None:
    import warnings

    from PIL import Image

    # becomes the one line that says it
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if given.max_pixels is not None:
        Image.MAX_IMAGE_PIXELS = given.max_pixels


def _methods(given: argparse.Namespace) -> int:
    from .explainers.table import methods

    print(methods())
    return DONE


def _models(given: argparse.Namespace) -> int:
    from .model.files.hub import KNOWN, on_disk
    from .model.files.locating import EMBEDDED

    size = sum(file.stat().st_size for file in Path(str(EMBEDDED)).iterdir()) / 1e6
    rows = [("name", "short name", "licence", "download", "")]
    rows.append(
        ("Emoji World CLIP", "", "MIT", f"{size:.1f} MB", "ships with clipxai (the default)")
    )
    rows += [
        (m.id, m.short, m.licence, f"{m.megabytes:,} MB", "on this disk" if on_disk(m.id) else "")
        for m in KNOWN
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    for row in rows:
        print(
            "  ".join(
                [
                    *(cell.ljust(width) for cell, width in zip(row[:3], widths)),
                    row[3].rjust(widths[3]),
                    row[4],
                ]
            ).rstrip()
        )
    print(
        "\nand any other CLIP or SigLIP in Hugging Face's or open_clip's layout: a name on the "
        "hub, a folder, or a weights file"
    )
    print(
        "(.safetensors, .pt, .bin; transformers', open_clip's or OpenAI's tensor names; OpenAI's "
        "own archives)"
    )
    return DONE


def _lab(given: argparse.Namespace) -> int:
    import os
    import subprocess
    from urllib.parse import quote

    notebook = Path(given.notebook).resolve()
    if not notebook.is_file():
        raise FileNotFoundError(f"no such notebook: {given.notebook}")
    try:
        import jupyterlab  # noqa: F401
    except ModuleNotFoundError:
        raise ValueError("JupyterLab is not installed: pip install 'clipxai[lab]'") from None
    # the printed address too
    where = [
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",
    ]
    # as in most containers, where Jupyter would refuse to start
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return subprocess.call(
        [sys.executable, "-m", "jupyterlab", *where, *(["--allow-root"] if root else [])]
    )
