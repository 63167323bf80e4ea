"""Nested calls as text, laid out as ruff does: on one line, or one part on each."""

from dataclasses import dataclass, fields, replace
from typing import Union

from space import Sizes

WIDTH = 99


@dataclass(frozen=True, slots=True)
class Call:
    """`opening`, the parts with commas between, `closing`; or as many of it as `times` says."""

    opening: str
    parts: tuple[Union["Call", str], ...]
    closing: str = ")"
    times: int = 1

    def named(self, name: str) -> "Call":
        """Return it as an argument of that name."""
        return replace(self, opening=f"{name}={self.opening}")


def listed(name: str, parts: tuple[Call | str, ...]) -> Call:
    """Return a list as an argument of that name."""
    return Call(f"{name}=[", parts, "]")


def sizes_call(sizes: Sizes) -> Call:
    """Return the call that makes the sizes anew."""
    given = ((one.name, getattr(sizes, one.name)) for one in fields(sizes))
    parts = tuple(f"{name}={_literal(value)}" for name, value in given)
    return Call(f"{type(sizes).__name__}(", parts)


def written(call: Call | str, indent: int = 0) -> str:
    """Return the text from `indent` on, without the first line's own."""
    if isinstance(call, str):
        return call
    if call.times > 1:
        inner, pad = indent + 4, " " * (indent + 4)
        own = written(replace(call, times=1), inner)
        return f"*(\n{pad}{own}\n{pad}for _ in range({call.times})\n{' ' * indent})"
    short = call.opening + ", ".join(written(one) for one in call.parts) + call.closing
    if "\n" not in short and indent + len(short) < WIDTH:  # a comma may follow
        return short
    pad = " " * (indent + 4)
    lines = "".join(f"{pad}{written(one, indent + 4)},\n" for one in call.parts)
    return f"{call.opening}\n{lines}{' ' * indent}{call.closing}"


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
