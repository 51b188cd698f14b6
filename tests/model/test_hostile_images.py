"""Images that are broken, huge, odd or not what they say: each works, or is one clear error."""

import os
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import clipxai as cx
from clipxai.model.picture import read_picture

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (64, 48, 3), np.uint8)


def encoded(image, kind, **options):
    buffer = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, data=b"", colour=2, bits=8, extra=b""):
    """A PNG written by hand, so that it can say what no writer would."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def flipped(data, where):
    return data[:where] + bytes([data[where] ^ 0xFF]) + data[where + 1 :]


def gif_of(width, height):
    palette, picture = (
        b"\x80\0\0" + bytes(6),
        b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02D\x01\0;",
    )
    return b"GIF89a" + struct.pack("<HH", width, height) + palette + picture


def bmp_of(width, height):
    return (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    )


BROKEN = {
    **{
        f"truncated {kind}": encoded(NOISE, kind)[:-200]
        for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")
    },
    **{
        f"{kind} of its first 30 bytes": encoded(NOISE, kind)[:30]
        for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
    },
    "empty": b"",
    "one byte": b"\x89",
    "zeros": bytes(1000),
    "noise": RNG.bytes(1000),
    "text": b"this is not an image\n" * 10,
    "HTML of a login page": b"<!doctype html><html><body>Please log in</body></html>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>',
    "EPS, which would be run": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(/tmp/x) (w) file\n%%EOF\n"
    ),
    "PDF": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    "zip": b"PK\x03\x04" + bytes(100),
    "PNG without width": png(0, 10),
    "PNG without height": png(10, 0),
    "PNG without pixels": png(10, 10),
    "PNG with a wrong checksum": flipped(encoded(NOISE, "PNG"), 30),
    "PNG whose stream begins wrong": flipped(encoded(NOISE, "PNG"), 41),
    "PNG with a damaged pixel": flipped(encoded(NOISE, "PNG"), 2000),
    "PNG of a colour type that does not exist": png(10, 10, bytes(310), colour=9),
    "PNG with a text chunk that unpacks to 80 MB": png(
        1, 1, bytes(4), extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000)))
    ),
    "JPEG header only": encoded(NOISE, "JPEG")[:20] + b"\xff\xd9",
    "TIFF whose directory points at itself": b"II*\0"
    + struct.pack("<I", 8)
    + struct.pack("<H", 0)
    + struct.pack("<I", 8),
    "TIFF of 32-bit numbers": encoded(Image.fromarray(np.full((4, 4), 70_000, np.int32)), "TIFF"),
    "TIFF of floats outside 0…1": encoded(
        Image.fromarray(np.full((4, 4), 300.0, np.float32)), "TIFF"
    ),
    "TIFF of NaN": encoded(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"),
}
BOMBS = {
    "PNG of 10 gigapixels": png(100_000, 100_000, bytes(1000)),
    "PNG just above the limit": png(10_000, 9_000, bytes(1000)),
    "PNG of the largest sides": png(2**31 - 1, 2**31 - 1, bytes(1000)),
    "GIF of 4 gigapixels": gif_of(65535, 65535),
    "BMP of negative width": bmp_of(-10, 10),
    "BMP of 4 gigapixels": bmp_of(2**16, 2**16),
    "PPM of 10 gigapixels": b"P6 100000 100000 255\n" + bytes(100),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow says what it stumbles over
@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_one_clear_error(kind, tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(BROKEN[kind])
    message = r"not an image that can be read \(or a truncated one\): (.*picture.png|\d+ bytes)"
    for source in (file, BROKEN[kind]):
        with pytest.raises(ValueError, match=message) as raised:
            read_picture(source).rows()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "strict", [True, False], ids=["warnings are errors", "warnings are ignored"]
)
@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_not_unpacked(kind, strict, recwarn, tmp_path):
    import tracemalloc
    import warnings

    file = tmp_path / "small.png"
    file.write_bytes(BOMBS[kind])
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("error" if strict else "ignore")
        with pytest.raises(
            ValueError,
            match=(
                "small.png .* 89,478,485 pixels, .* a decompression bomb: .*raise "
                "PIL.Image.MAX_IMAGE_PIXELS"
            ),
        ):
            read_picture(file).rows()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_the_limit_can_be_moved(monkeypatch):
    picture = encoded(NOISE, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 48 - 1)
    with (
        pytest.warns(Image.DecompressionBombWarning),
        pytest.raises(ValueError, match="bytes has more than 3,071 pixels"),
    ):
        read_picture(picture).rows()
    for limit in (64 * 48, None):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert read_picture(picture).rows().shape == (64, 48, 3)


def apng_or_gif(kind):
    frames = [
        Image.fromarray(NOISE),
        Image.new("RGB", (48, 64), "red"),
        Image.new("RGB", (48, 64), "blue"),
    ]
    lossless = {"WEBP": {"lossless": True}, "GIF": {}, "PNG": {}, "TIFF": {}}[kind]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], **lossless)


def deep_png():
    """16 bits a channel, which Pillow does not write in colour."""
    rows = (b"\0" + row.astype(">u2").tobytes() for row in NOISE * np.uint16(257))
    return png(48, 64, b"".join(rows), bits=16)


def exif_of(orientation):
    return b"Exif\0\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0112, 3, 1, orientation, 0)


SAME = NOISE / 255
GREY = np.repeat(NOISE[..., :1] / 255, 3, 2)
WORKS = {  # file, what it shows, and how near the format comes to it
    "animated GIF: its first picture": (apng_or_gif("GIF"), SAME, 0.15),
    "animated PNG: its first picture": (apng_or_gif("PNG"), SAME, 1e-6),
    "animated WebP: its first picture": (apng_or_gif("WEBP"), SAME, 1e-6),
    "TIFF of three pages: the first": (apng_or_gif("TIFF"), SAME, 1e-6),
    "one pixel": (encoded(NOISE[:1, :1], "PNG"), SAME[:1, :1], 1e-6),
    "one row": (encoded(NOISE[:1], "PNG"), SAME[:1], 1e-6),
    "one bit": (
        encoded(Image.fromarray(NOISE[..., 0] > 99), "PNG"),
        np.repeat(NOISE[..., :1] > 99, 3, 2),
        1e-6,
    ),
    "16-bit grey PNG": (encoded(NOISE[..., 0].astype(np.uint16) * 257, "PNG"), GREY, 1e-6),
    "16-bit grey TIFF, big-endian": (
        encoded(Image.fromarray(NOISE[..., 0].astype(">u2") * 257), "TIFF"),
        GREY,
        1e-6,
    ),
    "16-bit colour PNG": (deep_png(), SAME, 1 / 255),
    "floats in 0…1": (
        encoded(Image.fromarray((NOISE[..., 0] / 255).astype(np.float32)), "TIFF"),
        GREY,
        1e-6,
    ),
    "CMYK TIFF": (encoded(Image.fromarray(NOISE).convert("CMYK"), "TIFF"), SAME, 1 / 255),
    "YCbCr TIFF": (encoded(Image.fromarray(NOISE).convert("YCbCr"), "TIFF"), SAME, 2 / 255),
    "grey with alpha": (
        encoded(
            Image.merge("LA", [Image.fromarray(NOISE[..., 0]), Image.new("L", (48, 64), 255)]),
            "PNG",
        ),
        GREY,
        1e-6,
    ),
    "JPEG with something behind its end": (
        encoded(NOISE, "JPEG", quality=100, subsampling=0) + b"\0" * 5000,
        SAME,
        0.03,
    ),
    "broken EXIF": (encoded(NOISE, "PNG", exif=b"Exif\0\0not a TIFF at all"), SAME, 1e-6),
    "EXIF orientation 77": (encoded(NOISE, "PNG", exif=exif_of(77)), SAME, 1e-6),
}


@pytest.mark.parametrize("kind", WORKS)
def test_what_is_odd_works(kind, tmp_path):
    data, expected, tolerance = WORKS[kind]
    file = tmp_path / "wrong suffix.jpg"
    file.write_bytes(data)
    for source in (file, data, Image.open(BytesIO(data))):
        read = read_picture(source).rows()
        assert read.dtype == np.float32 and read.shape == expected.shape
        assert abs(read - expected).mean() <= tolerance


def test_extreme_shapes_reach_the_model(embedded):
    for shape in ((1, 1, 3), (1, 3000, 3), (3000, 1, 3)):
        e = cx.explain(cx.record(embedded, np.full(shape, 200, np.uint8), "a dog"))
        assert np.isfinite(e.scores).all() and e.heatmap(0).shape == shape[:2]


def test_folders_and_links_are_no_images(tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(
        FileNotFoundError,
        match=r"folder.png is a folder, not an image file: .*explain_each take folders",
    ):
        read_picture(tmp_path / "folder.png").rows()
    if os.name == "posix":
        (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
        with pytest.raises(FileNotFoundError, match="no such image file: .*link.png"):
            read_picture(tmp_path / "link.png").rows()
