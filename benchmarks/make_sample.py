"""Write the mosaics of search/samples from the CIFAR-10 training images.

    python benchmarks/make_sample.py [--data-dir PATH]

Image i of a part has class i % 10. Of each class, in the order of the original files, the first
300 images train, the next 100 validate and the next 100 test. Prints the size and the SHA-256 of
the pixels, which search/training/sample.py holds.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import search
from search.training.arrays import ByteArray, sha256
from search.training.cifar import read_part
from search.training.sample import NUM_CLASSES, PARTS, images_of, mosaic_of

FOLDER = Path(search.__file__).parent / "samples"


def in_turn(images: ByteArray, labels: ByteArray) -> ByteArray:
    """The images with the classes 0 to 9 in turn, each class in its original order."""
    by_class = np.stack([np.flatnonzero(labels == label) for label in range(NUM_CLASSES)])
    return images[by_class.T.ravel()]


def write_mosaic(path: Path, images: ByteArray) -> None:
    """Write lossless WebP and read it back."""
    Image.fromarray(mosaic_of(images)).save(path, lossless=True, quality=100, method=6, exact=True)
    with Image.open(path) as written:
        assert (images_of(np.array(written.convert("RGB"))) == images).all()


def main() -> None:
    """Write the three files."""
    parser = argparse.ArgumentParser(description="Write the mosaics of search/samples.")
    parser.add_argument("--data-dir", type=Path, default=None)
    images = in_turn(*read_part(parser.parse_args().data_dir, "train"))
    start = 0
    for name, known in PARTS.items():
        part = images[start : start + known.shape[0]]
        path = FOLDER / f"{name}.webp"
        write_mosaic(path, part)
        print(f"{name}: {len(part)} images, {path.stat().st_size} bytes, SHA-256 {sha256(part)}")
        start += len(part)


if __name__ == "__main__":
    main()
