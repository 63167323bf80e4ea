"""What an examination comes down to."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact of an area; what is not well has a remedy."""

    area: str
    state: State
    what: str
    remedy: str = ""

    def __post_init__(self) -> None:
        assert bool(self.remedy) == (self.state != "ok"), self
        assert "\n" not in self.what + self.remedy, self
