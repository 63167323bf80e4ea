"""Reading the test images: once for a trained model, under its entry in the ledger."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from search.config import Precision, Protocol
from space import Architecture, Refusal, digest
from studies.confirmation.ledger import LedgerEntry

from .arrays import ByteArray
from .data import open_test
from .loop import Images, Validation, validate
from .weights import load_weights


def reader(
    protocol: Protocol, data_dir: Path | None, device: str
) -> Callable[[Architecture, Path, LedgerEntry], tuple[float, bytes]]:
    """Return what reads the test images for a saved network, in a study's precision."""

    def read(architecture: Architecture, weights: Path, entry: LedgerEntry) -> tuple[float, bytes]:
        if digest(architecture) != entry.digest:
            raise Refusal(
                f"entry {entry.number} of the test ledger opens for the network {entry.digest}, "
                f"got {digest(architecture)}: each network has an entry of its own"
            )
        model = load_weights(architecture, weights)
        images = open_test(entry.dataset, data_dir, entry=entry)
        found = validated_on(
            model, *images, device=torch.device(device), precision=protocol.precision
        )
        return found.accuracy, found.correct

    return read


def validated_on(
    model: nn.Module,
    images_NHWC: ByteArray,
    labels_N: ByteArray,
    *,
    device: torch.device,
    precision: Precision,
) -> Validation:
    """Return what the network gets right of these images: N in bytes, and their labels."""
    x_NHWC = torch.from_numpy(images_NHWC).to(device)
    known_N = torch.from_numpy(labels_N).long().to(device)
    nothing = x_NHWC[:0], known_N[:0]  # to train on
    model.to(device).to(memory_format=torch.channels_last)
    return validate(model, Images(*nothing, x_NHWC, known_N), precision)
