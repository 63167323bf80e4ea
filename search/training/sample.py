"""5,000 real CIFAR-10 images inside the package, so that everything runs with no network.

All three parts are training images of CIFAR-10: the sample's "test" is not the real test set.
"""

from importlib.resources import files
from typing import Literal, TypeAlias

import numpy as np

from space import Refusal

from .arrays import ByteArray, KnownArray, equals_known

Part: TypeAlias = Literal["train", "validation", "test"]

COLUMNS = 50  # images side by side in a mosaic; 32 * 60 rows stay far below WebP's 16,383 pixels
SIDE = 32
NUM_CLASSES = 10

PARTS: dict[Part, KnownArray] = {
    "train": KnownArray(
        "train",
        (3_000, SIDE, SIDE, 3),
        "1fbe56fc246e7343ba73fc4511d38f234364d1ea576f39e15b35b7a99a6b1075",
    ),
    "validation": KnownArray(
        "validation",
        (1_000, SIDE, SIDE, 3),
        "9169680a042293cedb5808eda6a01582c23231a05a5db9c22b6549ce10e1822c",
    ),
    "test": KnownArray(
        "test",
        (1_000, SIDE, SIDE, 3),
        "56cdfe943bad9a529de9cde1d2e43b820c3c6004769a0f20209a831eb1d1da63",
    ),
}


def read_sample(part: Part) -> tuple[ByteArray, ByteArray]:
    """Images and labels of one part; `data.open_test` alone may ask for "test".

    Raises:
        Refusal: the installed file was altered.
    """
    images = images_of(_mosaic(part))
    if not equals_known(images, PARTS[part]):
        raise Refusal(
            f"search/samples/{part}.webp must hold the images of the release, got others: "
            f"install attention-search again"
        )
    return images, (np.arange(len(images)) % NUM_CLASSES).astype(np.uint8)


def _mosaic(part: Part) -> ByteArray:
    from PIL import Image

    with (files("search") / "samples" / f"{part}.webp").open("rb") as file:
        return np.array(Image.open(file, formats=("WEBP",)).convert("RGB"))


def images_of(mosaic: ByteArray) -> ByteArray:
    """The images of a mosaic, row after row: (rows * 32, columns * 32, 3) to (N, 32, 32, 3)."""
    tiles = mosaic.reshape(-1, SIDE, mosaic.shape[1] // SIDE, SIDE, 3)
    return np.ascontiguousarray(tiles.swapaxes(1, 2)).reshape(-1, SIDE, SIDE, 3)


def mosaic_of(images: ByteArray) -> ByteArray:
    """The inverse of `images_of`, `COLUMNS` images wide."""
    tiles = images.reshape(-1, COLUMNS, SIDE, SIDE, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiles).reshape(-1, COLUMNS * SIDE, 3)
