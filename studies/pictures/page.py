"""A picture that is filled from the top, in inches, and comes out as a PNG."""

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 100
MARGIN = 0.25
INK, QUIET, ACCENT, ALARM = "#1f2933", "#616e7c", "#0b6e4f", "#b42318"


class Page:
    """A white page of one size; what is put on it goes below what is there.

    It belongs to no window and no global state, so that any thread may draw one.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width = width + 2 * MARGIN
        self.height = height + 2 * MARGIN
        self._figure = Figure(figsize=(self.width, self.height), dpi=DPI, facecolor="white")
        self._top = MARGIN

    def down(self, inches: float) -> None:
        """Go on further below."""
        self._top += inches

    def axes(self, left: float, width: float, height: float, *, below: float = 0.0) -> Axes:
        """Return axes whose top is so far below where the page is filled to."""
        bottom = self.height - self._top - below - height
        place = (MARGIN + left) / self.width, bottom / self.height
        return self._figure.add_axes((*place, width / self.width, height / self.height))

    def text(
        self,
        left: float,
        words: str,
        *,
        size: float = 9,
        colour: str = INK,
        bold: bool = False,
        below: float = 0.0,
    ) -> None:
        """Write words, whose top is so far below where the page is filled to."""
        place = (MARGIN + left) / self.width, 1 - (self._top + below) / self.height
        weight = "bold" if bold else "normal"
        self._figure.text(*place, words, size=size, color=colour, weight=weight, va="top")

    def png(self) -> bytes:
        """Return the page as a PNG file."""
        file = BytesIO()
        self._figure.savefig(file, format="png", facecolor="white")
        return file.getvalue()
