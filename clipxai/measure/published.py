"""What did somebody publish of a checkpoint? Its top-1 accuracy on ImageNet's validation images, in
per cent, zero-shot with OpenAI's 80 prompts, as open_clip's authors measured it for all of them:
github.com/mlfoundations/open_clip, docs/openclip_results.csv, column "ImageNet 1k".
"""

SOURCE = "github.com/mlfoundations/open_clip, docs/openclip_results.csv"
IMAGENET: dict[str, float] = {
    "RN50": 59.82,
    "RN101": 62.28,
    "RN50x4": 66.27,
    "RN50x16": 70.72,
    "RN50x64": 73.91,
    "ViT-B/32": 63.32,
    "ViT-B/16": 68.34,
    "ViT-L/14": 75.54,
    "ViT-L/14@336px": 76.56,
    "laion/CLIP-ViT-B-16-laion2B-s34B-b88K": 70.23,
}
# the same weights in transformers' layout
SAME = {
    "openai/clip-vit-base-patch32": "ViT-B/32",
    "openai/clip-vit-base-patch16": "ViT-B/16",
    "openai/clip-vit-large-patch14": "ViT-L/14",
    "openai/clip-vit-large-patch14-336": "ViT-L/14@336px",
}


def published(*names: str) -> str | None:
    """One line on the score that is published for a checkpoint of one of these names, and how to
    measure it; None if none is known here.
    """
    scores = (IMAGENET.get(SAME.get(name, name)) for name in names)
    score = next((score for score in scores if score is not None), None)
    if score is None:
        return None
    return (
        f"published: {score} % zero-shot on ImageNet's validation images ({SOURCE}); measure "
        "yourself with model.encode_text(classes, templates=clipxai.IMAGENET_TEMPLATES) and "
        'model.encode_image(model.preprocess(images, "crop"))'
    )
