"""What a section of the page is made of, whatever it is about."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

Cell = str | Markup  # plain words are escaped, markup is ours


@dataclass(frozen=True, slots=True)
class Picture:
    """A plotly figure, what it shows in words, and how to read it."""

    figure: Any  # plotly has no types
    alt: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    """A PNG, what it shows in words, and how to read it."""

    png: bytes
    alt: str
    caption: str = ""

    @property
    def address(self) -> str:
        """Return it as an address that holds it."""
        return f"data:image/png;base64,{b64encode(self.png).decode()}"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first cell of a row names it."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """An architecture: its name, what is known of it, its picture, its configuration."""

    name: str
    line: str
    svg: Markup
    configuration: str


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page, in the order in which it is read."""

    key: str  # within the page's address
    title: str
    lead: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    photos: tuple[Photo, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    commands: tuple[tuple[str, str], ...] = ()  # what it does, and the command


def hours(seconds: float) -> str:
    """Return a time as `45 s`, `12 min` or `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
