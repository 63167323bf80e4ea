"""Where in a stage attention may stand: in which place of a block, and in which blocks."""

from typing import Literal, get_args

Position = Literal["residual", "after_conv1", "pre", "identity", "post", "stage_end"]
Blocks = Literal["all", "first", "last", "alternate"]
POSITIONS: tuple[Position, ...] = get_args(Position)
BLOCKS: tuple[Blocks, ...] = get_args(Blocks)


def chosen_blocks(blocks: Blocks, num_blocks: int) -> tuple[int, ...]:
    """Return the numbers, from 1, of the blocks that get attention.

    `alternate` is every other block, the last among them: for an even number these are the blocks
    after which the non-local authors put theirs.
    """
    numbers = tuple(range(1, num_blocks + 1))
    return {
        "all": numbers,
        "first": numbers[:1],
        "last": numbers[-1:],
        "alternate": numbers[::-2][::-1],
    }[blocks]


def distinct_blocks(num_blocks: int) -> tuple[Blocks, ...]:
    """Return the names that choose different blocks; of two that choose the same, the first."""
    named: dict[tuple[int, ...], Blocks] = {}
    for blocks in BLOCKS:
        named.setdefault(chosen_blocks(blocks, num_blocks), blocks)
    return tuple(named.values())
