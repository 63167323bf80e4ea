"""The size of the feature map that an attention module sees."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Channels, height and width of one image's feature map."""

    channels: int
    height: int
    width: int

    @property
    def positions(self) -> int:
        """H·W, written N in the papers."""
        return self.height * self.width

    def __str__(self) -> str:
        """Return `64@8x8`: channels, then the map."""
        return f"{self.channels}@{self.height}x{self.width}"
