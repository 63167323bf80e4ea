"""What an examination comes down to."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact of an area; what is not well has a remedy."""

    area: str
    state: State
    what: str  # one line, whatever a path or a name holds
    remedy: str = ""

    def __post_init__(self) -> None:
        assert bool(self.remedy) == (self.state != "ok"), self
        for name in ("what", "remedy"):
            object.__setattr__(self, name, _one_line(getattr(self, name)))


def _one_line(text: str) -> str:
    """Return the text with a line's end and all else that no terminal shows written out."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
