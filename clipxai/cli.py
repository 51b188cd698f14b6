"""The same verbs on the command line.

clipxai explain photo.jpg "a dog" "a bicycle" --out dog.html
clipxai compare photo.jpg "a dog" --methods clip,clip_surgery,gem
clipxai models
clipxai lab
"""

import argparse
import sys
from pathlib import Path

DONE, FAILED, MISUSED = 0, 1, 2  # exit codes


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a wrong input is one line on stderr and exit code 2."""
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
    commands = parser.add_subparsers(required=True, metavar="command")

    explain = commands.add_parser("explain", help="heat-maps of texts on an image, by one method")
    _about_image(explain)
    explain.add_argument("--method", default="clip_surgery", help="see `clipxai methods` (default: clip_surgery)")
    explain.set_defaults(run=_explain)

    compare = commands.add_parser("compare", help="the same by several methods, side by side")
    _about_image(compare)
    compare.add_argument("--methods", default="clip,clip_surgery", help="names, separated by commas (default: clip,clip_surgery)")
    compare.set_defaults(run=_compare)

    commands.add_parser("methods", help="the table of methods").set_defaults(run=_methods)
    commands.add_parser("models", help="models that can be loaded").set_defaults(run=_models)
    lab = commands.add_parser("lab", help="JupyterLab on a notebook")
    lab.add_argument("notebook", nargs="?", default="notebooks/00_start_here.ipynb", help="default: the first lesson")
    lab.set_defaults(run=_lab)
    return parser


def _about_image(command: argparse.ArgumentParser) -> None:
    command.add_argument("image", help="image file")
    command.add_argument("texts", nargs="+", metavar="text", help='what to look for, such as "a dog"')
    command.add_argument("--model", help="checkpoint folder or weights file (default: the embedded Emoji World model)")
    command.add_argument("--mode", default="squash", choices=("squash", "crop", "aspect"), help="how the image is fitted to the model")
    command.add_argument("--redundant", choices=("labels", "empty"), help="what feature surgery subtracts (default: empty)")
    command.add_argument("--out", action="append", help=".html, .png, .svg, .pdf or .npz; may be given several times")


def _explain(given: argparse.Namespace) -> int:
    return _save(given, [given.method])


def _compare(given: argparse.Namespace) -> int:
    return _save(given, [name.strip() for name in given.methods.split(",") if name.strip()])


def _save(given: argparse.Namespace, methods: list[str]) -> int:
    outs = given.out or [f"{Path(given.image).stem}-{methods[0] if len(methods) == 1 else 'compared'}.png"]
    for out in outs:
        if Path(out).suffix == ".npz" and len(methods) > 1:
            raise ValueError(f"{out}: an .npz holds one explanation; save one method at a time with `clipxai explain`")

    from tqdm import tqdm

    from . import view
    from .explainers import explain, find_method
    from .model.checkpoints import load
    from .trace import record

    rows = [find_method(name) for name in methods]
    trace = record(load(given.model), given.image, given.texts, mode=given.mode)
    explanations = []
    for row in tqdm(rows, "explaining", disable=None if len(rows) > 1 else True, leave=False):
        options = {"redundant": given.redundant} if given.redundant and "redundant" in row.options else {}
        explanations.append(explain(trace, row.name, **options))
    shown = explanations[0] if len(explanations) == 1 else view.MethodComparison(explanations)
    for out in outs:
        view.save(shown, out)
        print(out)
    for text, presence in zip(given.texts, explanations[0].presence):
        print(f"  {text!r}: cosine of the whole image with the text {presence:+.3f}")
    for note in dict.fromkeys(note for explanation in explanations for note in explanation.notes):
        print(f"  note: {note}")
    return DONE


def _methods(given: argparse.Namespace) -> int:
    from .explainers import methods

    print(methods())
    return DONE


def _models(given: argparse.Namespace) -> int:
    from .model.checkpoints import EMBEDDED

    size = sum(file.stat().st_size for file in Path(str(EMBEDDED)).iterdir()) / 1e6
    print(f"embedded         Emoji World CLIP, ViT 112 px, patch 8, 8 blocks   MIT   {size:.1f} MB   ships with clipxai (the default)")
    print("a folder         config.json, model.safetensors, vocab.json, merges.txt (Hugging Face's CLIP layout)")
    print("a weights file   .safetensors, .pt or .bin with OpenAI's tensor names (ViT and ResNet)")
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
    where = [f"--ServerApp.root_dir={notebook.parent}", f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}"]  # the printed address too
    root = hasattr(os, "geteuid") and os.geteuid() == 0  # as in most containers, where Jupyter would refuse to start
    return subprocess.call([sys.executable, "-m", "jupyterlab", *where, *(["--allow-root"] if root else [])])


if __name__ == "__main__":
    sys.exit(main())
