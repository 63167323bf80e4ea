import numpy as np
import pytest
import torch
from torch import Tensor

from search.training.augment import MEAN, STD, crop_draws, cropped, normalised, padded
from space import IMAGE_SIDE

PADDING = 4
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def images() -> Tensor:
    """Return 20 x 32 x 32 x 3 bytes, none of them 0: only the border is."""
    generator = torch.Generator().manual_seed(0)
    size = (20, IMAGE_SIDE, IMAGE_SIDE, 3)
    return torch.randint(1, 256, size, dtype=torch.uint8, generator=generator)


def draws(num_images: int, seed: int) -> Tensor:
    return crop_draws(num_images, torch.Generator().manual_seed(seed))


def located(num_images: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return row, column and flip of each crop, read off images whose pixels say where they are.

    Colour 0 is a pixel's row, colour 1 its column.
    """
    side = IMAGE_SIDE + 2 * PADDING
    grid = torch.stack(torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij"), -1)
    images_NPPC = torch.cat([grid, grid[..., :1]], -1).to(torch.uint8)[None]
    index_B = torch.zeros(num_images, dtype=torch.long)
    found = cropped(images_NPPC, index_B, draws(num_images, seed)).long()
    rows_B, first_B, last_B = found[:, 0, 0, 0], found[:, 0, 0, 1], found[:, 0, -1, 1]
    return rows_B, torch.minimum(first_B, last_B), first_B > last_B


def test_the_border_is_0_and_the_image_in_its_middle(images: Tensor) -> None:
    found = padded(images, PADDING)
    assert found.shape == (20, 40, 40, 3)
    assert found.dtype == torch.uint8
    assert torch.equal(found[:, 4:36, 4:36], images)
    assert found.count_nonzero() == images.count_nonzero()
    assert torch.equal(padded(images, 0), images)


def test_a_batch_is_what_cropping_image_by_image_gives(images: Tensor) -> None:
    index_B = torch.tensor([3, 0, 19, 3, 7, 7, 7, 12])
    found_BHWC = cropped(padded(images, PADDING), index_B, draws(8, 5))
    draws_3B = torch.rand(3, len(index_B), generator=torch.Generator().manual_seed(5)).numpy()
    for found_HWC, index, (down, right, flip) in zip(found_BHWC, index_B, draws_3B.T, strict=True):
        border = ((PADDING, PADDING), (PADDING, PADDING), (0, 0))
        image_PPC = np.pad(images[index].numpy(), border)
        row, column = int(down * (2 * PADDING + 1)), int(right * (2 * PADDING + 1))
        expected_HWC = image_PPC[row : row + IMAGE_SIDE, column : column + IMAGE_SIDE]
        expected_HWC = expected_HWC[:, ::-1] if flip < 0.5 else expected_HWC
        assert np.array_equal(found_HWC.numpy(), expected_HWC)


def test_half_of_the_images_are_flipped() -> None:
    _, _, flips_B = located(4_000, seed=1)
    assert flips_B.float().mean().item() == pytest.approx(0.5, abs=3 * 0.5 / 4_000**0.5)


def test_all_offsets_are_equally_likely_and_independent() -> None:
    rows_B, columns_B, _ = located(8_100, seed=2)
    counts = torch.bincount(rows_B * 9 + columns_B, minlength=81)
    assert len(counts) == 81
    chi_square = ((counts - 100.0) ** 2 / 100).sum().item()  # 80 degrees of freedom: 80 ± 12.6
    assert 80 - 4 * 12.6 < chi_square < 80 + 4 * 12.6


def test_without_padding_a_crop_is_the_image_or_its_mirror(images: Tensor) -> None:
    found = cropped(images, torch.arange(20), draws(20, 3))
    same = [torch.equal(a, b) for a, b in zip(found, images, strict=True)]
    mirrored = [torch.equal(a, b.flip(1)) for a, b in zip(found, images, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert any(same)
    assert any(mirrored)


def test_the_same_generator_draws_the_same_crops(images: Tensor) -> None:
    index_B, images_NPPC = torch.arange(20), padded(images, PADDING)
    one, two, other = (cropped(images_NPPC, index_B, draws(20, seed)) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_images_are_normalised_by_colour(images: Tensor) -> None:
    found_BCHW = normalised(images)
    values = images.numpy().astype(np.float64) / 255
    expected_BHWC = (values - np.array(MEAN)) / np.array(STD)
    assert found_BCHW.dtype == torch.float32
    assert np.allclose(found_BCHW.numpy(), expected_BHWC.transpose(0, 3, 1, 2), atol=1e-5)


def test_normalised_images_are_channels_last_in_memory(images: Tensor) -> None:
    found_BCHW = normalised(images)
    assert found_BCHW.shape == (20, 3, 32, 32)
    assert found_BCHW.is_contiguous(memory_format=torch.channels_last)
    assert not found_BCHW.is_contiguous()


def test_without_flips_and_padding_a_crop_is_the_image(images: Tensor) -> None:
    still_3B = crop_draws(20, torch.Generator().manual_seed(3), flips=False)
    assert torch.equal(cropped(images, torch.arange(20), still_3B), images)
    assert torch.equal(still_3B[:2], draws(20, 3)[:2])
