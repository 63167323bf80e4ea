"""Exported model files, loaded as a stranger would, and a network with whatever a kind allows."""

import ast
import builtins
import random
import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType

import pytest
import torch
from torch import nn

from backbones.standalone import standalone
from space import BACKBONES, Architecture
from space.place import POSITIONS
from tests.space.allowed import allowed_values

OURS = ("backbones", "search", "space", "studies")


def loaded(text: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Run the text as a module that can import nothing of this project."""
    original = builtins.__import__

    def guarded(
        name: str,
        variables: Mapping[str, object] | None = None,
        *others: object,
    ) -> ModuleType:
        importer = (variables or {}).get("__name__")
        assert importer != "model" or name.partition(".")[0] not in OURS, name
        return original(name, variables, *others)  # type: ignore[arg-type] # passed on as given

    module = ModuleType("model")
    monkeypatch.setitem(sys.modules, "model", module)  # where dataclasses look
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", guarded)
        exec(compile(text, "model.py", "exec"), module.__dict__)
    return module


def imported(text: str) -> set[str]:
    """Return the top-level names of all imports."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@cache
def everywhere(kind: str, name: str = "resnet8") -> Architecture:
    """Return the mechanism in every position, with values, blocks and gains as a draw has it."""
    generator = random.Random(f"{kind} {name}")
    while True:
        stages: list[list[object]] = [[] for _ in BACKBONES[name].stages]
        for index, position in enumerate(POSITIONS):
            values = {key: generator.choice(one) for key, one in allowed_values(kind).items()}
            blocks = (
                {} if position == "stage_end" else {"blocks": generator.choice(["all", "last"])}
            )
            stages[index % len(stages)].append(
                {
                    "attention": {"kind": kind, **values},
                    "position": position,
                    "gain": generator.choice(["plain", "zero"]),
                    **blocks,
                }
            )
        try:
            return Architecture.model_validate({"backbone": name, "stages": stages})
        except ValueError:
            continue  # widths that do not divide


def stirred(model: nn.Module) -> nn.Module:
    """Draw every tensor anew, as if it had been trained: no norm, gain or bias is at its start."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.is_floating_point():
                tensor.add_(0.1 * torch.randn_like(tensor))
    return model.eval()


def shapes_of(build: Callable[..., nn.Module], *arguments: object) -> dict[str, torch.Size]:
    """Return the names and shapes of what a builder draws, without drawing it."""
    with torch.device("meta"):
        model = build(*arguments)
    return {name: one.shape for name, one in model.state_dict().items()}


@cache
def text_of(architecture: Architecture) -> str:
    return standalone(architecture, "From a test.")
