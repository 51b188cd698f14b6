"""What may be said on the command line? Every command with its words, and nothing loaded."""

import argparse

from .. import __version__

DTYPES = ("float32", "bfloat16", "float16", "float64")
LESSONS = "clipxai-lessons"
REVISION = "branch, tag or commit of a model on the hub"
MANY = (
    "image file, folder, quoted pattern ('photos/**/*.jpg'), list (.txt, .csv, .parquet), or tar "
    "files in WebDataset's layout ('shards/{000..009}.tar')"
)
FORMATS = ("png", "npz", "html", "svg", "pdf")
TABLES = ("parquet", "npz-table")  # those of `many.parts`, which is not loaded here


def parser() -> argparse.ArgumentParser:
    """All commands; `command` is the name of the one that was given."""
    main = argparse.ArgumentParser("clipxai", description="See what a CLIP model sees.")
    main.add_argument("--version", action="version", version=f"clipxai {__version__}")
    commands = main.add_subparsers(required=True, dest="command", metavar="command")
    _explain(commands.add_parser("explain", help="heat-maps of texts on an image, by one method"))
    _compare(commands.add_parser("compare", help="the same by several methods, side by side"))
    _contrast(
        commands.add_parser("contrast", help="why this text and not that one: one signed map")
    )
    _effects(
        commands.add_parser("effects", help="what each score would be without each head, patch …")
    )
    _segment(commands.add_parser("segment", help="each pixel to the text that fits it best"))
    _bench(
        commands.add_parser(
            "bench",
            help="every method on a data set with true masks: table, results.json, report.html",
        )
    )
    listed = commands.add_parser("methods", help="the table of methods")
    listed.add_argument("--bibtex", action="store_true", help="their papers instead, as BibTeX")
    _models(commands.add_parser("models", help="models that can be loaded, or what one of them is"))
    _doctor(
        commands.add_parser(
            "doctor", help="is a model read rightly? exit code 1 if something is off"
        )
    )
    _lessons(commands.add_parser("lessons", help="the course, written to a folder of yours"))
    _lab(commands.add_parser("lab", help="JupyterLab on a notebook"))
    _playground(
        commands.add_parser(
            "playground", help="one page in which the embedded model runs, to play with"
        )
    )
    return main


def _explain(command: argparse.ArgumentParser) -> None:
    _about_image(command, MANY, each=True)
    command.add_argument(
        "--method", default="clip_surgery", help="see `clipxai methods` (default: clip_surgery)"
    )
    _about_windows(command)
    command.add_argument(
        "--format",
        action="append",
        choices=(*FORMATS, *TABLES),
        help=(
            "of a folder's maps; repeatable (default: png); parquet or npz-table: one table of "
            "all, in half precision"
        ),
    )
    _about_folders(command)


def _compare(command: argparse.ArgumentParser) -> None:
    _about_image(command, "image file")
    command.add_argument(
        "--methods",
        default="clip,clip_surgery",
        help="names, separated by commas (default: clip,clip_surgery)",
    )


def _contrast(command: argparse.ArgumentParser) -> None:
    _about_image(command, "image file")
    command.add_argument(
        "--method", default="decomposition", help="see `clipxai methods` (default: decomposition)"
    )


def _effects(command: argparse.ArgumentParser) -> None:
    _about_image(command, "image file", subtracts=False)
    command.add_argument(
        "--of",
        default="heads",
        choices=("heads", "attention", "ffn", "blocks", "patches", "words"),
        help="which parts are changed, one by one (default: heads)",
    )
    command.add_argument(
        "--by",
        default="zero",
        metavar="zero|mean|IMAGE",
        help="what stands there instead (default: zero); of another image: what stood there in it",
    )
    command.add_argument(
        "--estimate", action="store_true", help="only to first order, by gradient: quicker"
    )


def _segment(command: argparse.ArgumentParser) -> None:
    _about_image(command, MANY, each=True)
    _about_windows(command)
    _about_folders(command)
    command.add_argument(
        "--method",
        help=(
            "see `clipxai methods` (default: clip_surgery_architecture; with --refine clip_surgery)"
        ),
    )
    command.add_argument(
        "--refine",
        metavar="NAME",
        help=(
            "masks to the edge of each text's thing: grabcut, pamr, or a Segment Anything model "
            "(name on the hub or folder)"
        ),
    )
    command.add_argument(
        "--background",
        action="append",
        metavar="TEXT",
        default=[],
        help="one more text, of the background; repeatable",
    )
    command.add_argument(
        "--threshold", type=float, help="background is also what stays below this, 0 to 1"
    )
    command.add_argument(
        "--of",
        default="probability",
        choices=("probability", "map"),
        help="what --threshold cuts; map: for known texts",
    )
    command.add_argument(
        "--mask",
        help="indexed .png of the labels, in PASCAL VOC's colours; of a folder: a folder for them",
    )


def _bench(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data",
        default="emoji-world",
        help=(
            "emoji-world (default), a folder in the public layout of a data set, a list (.csv, "
            ".parquet) with the columns path, mask and label, or tar files with masks beside each "
            "picture (one.jpg, one.dog.png)"
        ),
    )
    command.add_argument("--layout", help="which data set, where a folder holds several")
    command.add_argument(
        "--classes",
        help="text file of classes, one `value: words` per line (default: the packaged one)",
    )
    _about_model(command, "as for `clipxai explain` (default: the embedded model)")
    command.add_argument(
        "--methods",
        help="names, separated by commas (default: all that need only the recorded pass)",
    )
    command.add_argument(
        "--metrics",
        help=(
            "localisation,presence (default), segmentation, given-labels, recognition, inside, "
            "faithfulness, randomisation, sensitivity, words, refined, effect (things left out of "
            "drawn scenes), effect-mean and effect-blur (things filled in, in photographs)"
        ),
    )
    _may_truncate(command)
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
        "--batch",
        type=int,
        default=1,
        help=(
            "pictures that go through the model together (default: 1); more is quicker and changes "
            "last digits: by 0.001 %% at most of any number of the table, where it was measured"
        ),
    )
    command.add_argument(
        "--seed",
        type=int,
        default=0,
        help="chooses absent labels, noise and shuffled weights (default: 0)",
    )
    command.add_argument("--out", required=True, help="folder; the same command continues there")
    _may_try(command)


def _models(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model", nargs="?", help="name on the hub, folder or file; nothing of its weights is loaded"
    )
    command.add_argument("--revision", help=REVISION)
    _without_config(command)


def _doctor(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model", nargs="?", help="name on the hub, folder or file (default: the embedded model)"
    )
    _about_weights(command)


def _lessons(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "folder", nargs="?", default=LESSONS, help=f"made where there is none (default: {LESSONS})"
    )


def _lab(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "notebook",
        nargs="?",
        help=f"default: the first lesson, in notebooks/ or {LESSONS}/, written if need be",
    )


def _playground(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", required=True, help=".html file to write")


def _may_truncate(command: argparse.ArgumentParser) -> None:
    command.add_argument("--truncate", action="store_true", help="cut texts that are too long")


def _about_image(
    command: argparse.ArgumentParser, image: str, subtracts: bool = True, each: bool = False
) -> None:
    command.add_argument("image", help=image)
    command.add_argument(
        "texts",
        # each image may have its own
        nargs="*" if each else "+",
        metavar="text",
        help='what to look for, such as "a dog"',
    )
    _about_model(
        command,
        "folder, weights file, or name such as ViT-B/16; see `clipxai models` (default: the "
        "embedded model)",
    )
    _may_truncate(command)
    command.add_argument(
        "--templates",
        choices=("imagenet", "surgery"),
        help="average each text over OpenAI's 80 prompts or CLIP Surgery's 85",
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
    if subtracts:
        command.add_argument(
            "--redundant",
            choices=("labels", "empty"),
            help="what feature surgery subtracts (default: empty)",
        )
    kinds = ".html, .png, .svg, .pdf or .npz; repeatable"
    kinds += "; for a folder of images: a folder" if each else ""
    numbers = ".html, .png, .svg, .pdf, or the numbers as .npz or .csv; repeatable"
    command.add_argument("--out", action="append", help=kinds if subtracts else numbers)


def _about_weights(command: argparse.ArgumentParser) -> None:
    command.add_argument("--revision", help=REVISION)
    command.add_argument(
        "--trust",
        action="store_true",
        help="read a TorchScript archive that OpenAI did not publish",
    )
    _without_config(command)


def _without_config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config", help="of weights without one beside them: a config's JSON file"
    )
    command.add_argument("--activation", help="of weights without a config: gelu or quick_gelu")
    command.add_argument(
        "--heads",
        type=int,
        nargs=2,
        metavar=("IMAGE", "TEXT"),
        help="of weights without a config: attention heads of both towers",
    )


def _about_model(command: argparse.ArgumentParser, model: str) -> None:
    command.add_argument("--model", help=model)
    _about_weights(command)
    command.add_argument(
        "--device",
        default="auto",
        help="cpu, cuda, cuda:1, mps (default: auto, an accelerator that can hold the model)",
    )
    command.add_argument(
        "--dtype",
        default="float32",
        choices=DTYPES,
        help="of the weights (default: float32)",
    )


def _may_try(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="only say how much there is to do, how long it takes and how large it gets, from a "
        "first batch",
    )


def _about_folders(command: argparse.ArgumentParser) -> None:
    _may_try(command)
    command.add_argument(
        "--column",
        metavar="NAME",
        help="of a list: the column of paths (default: path); of tar files: the entry (jpg)",
    )
    command.add_argument(
        "--texts-from",
        action="append",
        default=[],
        metavar="NAME",
        help="column of a list, or entry of tar files (txt), with texts of one image; repeatable",
    )
    command.add_argument(
        "--overwrite",
        action="store_true",
        help="make a folder's files anew instead of continuing where a run stopped",
    )
    command.add_argument(
        "--batch",
        type=int,
        help="images of a folder that go through the model together (default: 8)",
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
