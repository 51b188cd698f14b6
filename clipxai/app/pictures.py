"""How does a picture get to a widget? As an address that holds it."""

import base64

import cv2
import numpy as np

QUALITY = {"jpeg": [cv2.IMWRITE_JPEG_QUALITY, 92], "webp": [cv2.IMWRITE_WEBP_QUALITY, 80]}


def data_url(image: np.ndarray) -> str:
    """An image (H, W, 3 or 4) red-green-blue, perhaps with alpha, for a page."""
    if image.shape[2] == 4:
        kind, turned = "webp", cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA)
    else:  # several times as quick to write
        kind, turned = "jpeg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(f".{kind}", turned, QUALITY[kind])[1]
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode('ascii')}"


def smaller(image: np.ndarray, side: int) -> np.ndarray:
    """The image, its longer side no longer than this."""
    height, width = image.shape[:2]
    share = min(1.0, side / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
