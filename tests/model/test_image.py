"""Any picture becomes the right pixels, and the geometry leads back to the original."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageOps  # noqa: F401

import clipxai as cx
from clipxai.model.image import CLIP_MEAN, CLIP_STD, Preprocessor
from clipxai.model.picture import read_picture

PREPARE = Preprocessor((224, 224), 16)


def picture(height=60, width=90):
    """A picture without symmetry: red grows to the right, green downwards, and one corner is
    blue.
    """
    y, x = np.mgrid[:height, :width]
    image = np.stack([255 * x / width, 255 * y / height, 20 + 0 * x], axis=-1).astype(np.uint8)
    image[: height // 4, : width // 4, 2] = 250
    return image


def encoded(image, **options):
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, **{"format": "PNG", **options})
    return buffer.getvalue()


@pytest.mark.parametrize("size", [(480, 640), (333, 500), (100, 80), (224, 224), (50, 700)])
def test_resize_matches_pillow(size):
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
    image = np.asarray(coarse.resize(size[::-1], Image.Resampling.BICUBIC))
    noisy = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
    ours = PREPARE(noisy).pixels[0] * torch.tensor(CLIP_STD).view(3, 1, 1) + torch.tensor(
        CLIP_MEAN
    ).view(3, 1, 1)
    pillow = np.asarray(Image.fromarray(noisy).resize((224, 224), Image.Resampling.BICUBIC)) / 255
    assert abs(ours.permute(1, 2, 0).numpy() - pillow).mean() < 1 / 255


def test_crop_equals_openais_transform():
    image = picture(300, 500)
    short = Image.fromarray(image).resize((int(500 * 224 / 300), 224), Image.Resampling.BICUBIC)
    left = round((short.width - 224) / 2)
    expected = np.asarray(short.crop((left, 0, left + 224, 224))) / 255
    ours = PREPARE(image, mode="crop")
    pixels = ours.pixels[0] * torch.tensor(CLIP_STD).view(3, 1, 1) + torch.tensor(CLIP_MEAN).view(
        3, 1, 1
    )
    assert abs(pixels.permute(1, 2, 0).numpy() - expected).mean() < 1 / 255
    top, left, bottom, right = ours.grids[0].box
    assert (
        (top, bottom) == (0, 300)
        and abs((right - left) - 300) < 2
        and abs((left + right) / 2 - 250) < 2
    )


def test_aspect_keeps_the_ratio_in_whole_patches():
    prepared = PREPARE(picture(300, 500), mode="aspect")
    assert prepared.pixels.shape == (1, 3, 224, 368)
    assert (prepared.grids[0].height, prepared.grids[0].width) == (14, 23)
    assert prepared.grids[0].box == (0, 0, 300, 500)
    with pytest.raises(ValueError, match="different shapes.*one by one"):
        PREPARE([picture(300, 500), picture(500, 300)], mode="aspect")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    image = Image.fromarray(picture())
    exif = image.getexif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=95, subsampling=0, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(buffer.getvalue())))) / 255
    assert abs(read_picture(buffer.getvalue()).rows() - expected).mean() < 1 / 255
    assert (
        abs(read_picture(Image.open(BytesIO(buffer.getvalue()))).rows() - expected).mean() < 1 / 255
    )


def test_alpha_is_laid_over_white():
    image = np.dstack([picture(), np.full((60, 90), 0, np.uint8)])
    image[:, 45:, 3] = 255
    for source in (image, encoded(image), Image.fromarray(image)):
        read = read_picture(source).rows()
        assert np.allclose(read[:, :45], 1) and np.allclose(
            read[:, 45:], picture()[:, 45:] / 255, atol=1 / 255
        )
    palette = Image.fromarray(image).convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert np.allclose(read_picture(palette).rows()[0, 0], 1)


def test_grey_sixteen_bit_and_cmyk():
    grey = picture()[..., 0]
    for source in (grey, encoded(grey), Image.fromarray(grey)):
        assert np.allclose(read_picture(source).rows(), grey[..., None] / 255)
    deep = (grey.astype(np.uint16) << 8) + 7
    buffer = BytesIO()
    Image.fromarray(deep).save(buffer, "PNG")
    for source in (deep, buffer.getvalue(), Image.open(BytesIO(buffer.getvalue()))):
        assert np.allclose(read_picture(source).rows(), deep[..., None] / 65535)
    buffer = BytesIO()
    Image.fromarray(picture()).convert("CMYK").save(buffer, "JPEG", quality=95)
    assert abs(read_picture(buffer.getvalue()).rows() - picture() / 255).mean() < 0.05


def test_tensors_floats_and_batches():
    image = picture()
    planes = torch.from_numpy(image).permute(2, 0, 1)
    for source in (planes, planes / 255, image / 255.0, (image / 255.0).astype(np.float32)):
        assert np.allclose(read_picture(source).rows(), image / 255, atol=1e-6)
    for kind in (torch.bfloat16, torch.float16):
        for source, expected in ((planes, image), (planes[0], image[..., :1])):  # colours, grey
            assert np.allclose(
                read_picture((source / 255).to(kind)).rows(), expected / 255, atol=2**-8
            )
    batch = PREPARE(torch.stack([planes, planes.flip(-1)]))
    assert batch.pixels.shape == (2, 3, 224, 224) and len(batch.images) == 2
    assert torch.allclose(batch.pixels[0].flip(-1), batch.pixels[1], atol=1e-3)
    assert np.array_equal(batch.images[0], image)


def test_restore_undoes_the_normalisation():
    image = np.asarray(Image.fromarray(picture()).resize((224, 224)))
    assert abs(PREPARE.restore(PREPARE(image).pixels)[0].astype(int) - image).max() <= 1


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("no/such.jpg", FileNotFoundError, "no such image file: no/such.jpg"),
        (b"", ValueError, "not an image that can be read"),
        (b"<svg/>", ValueError, "not an image that can be read"),
        (np.zeros((0, 5, 3), np.uint8), ValueError, r"not empty, but has shape \(0, 5, 3\)"),
        (np.zeros((5, 5, 2), np.uint8), ValueError, r"shape \(5, 5, 2\)"),
        (
            np.full((5, 5, 3), 200.0),
            ValueError,
            "float image must lie in 0…1, but spans 200…200: divide it by 255",
        ),
        (np.full((5, 5, 3), np.nan), ValueError, "float image must lie in 0…1, but spans nan"),
        (np.zeros((5, 5, 3), np.int64), ValueError, "uint8, uint16 or float in 0…1, not int64"),
        ({"a": 1}, TypeError, "cannot read a dict as an image"),
        (cx.scenes.compose("cat"), TypeError, "a Scene as an image: pass its .image, or a path"),
        ([], ValueError, "no image given"),
    ],
)
def test_what_is_no_image(source, error, message):
    with pytest.raises(error, match=message):
        PREPARE(source)


def test_truncated_file(tmp_path):
    whole = encoded(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    file = tmp_path / "half.png"
    file.write_bytes(whole[: len(whole) // 20])
    with pytest.raises(ValueError, match="half.png"):
        read_picture(file).rows()


def test_sizes_and_modes_that_do_not_exist():
    with pytest.raises(
        ValueError, match="size 100x100 is not a multiple of the patch, 16 pixels; nearest: 96x96"
    ):
        PREPARE(picture(), size=100)
    with pytest.raises(
        ValueError, match="unknown mode 'stretch'; choose one of squash, crop, aspect"
    ):
        PREPARE(picture(), mode="stretch")
    assert PREPARE(picture(), size=(32, 64)).pixels.shape == (1, 3, 32, 64)
