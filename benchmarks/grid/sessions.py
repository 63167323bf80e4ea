"""How a grid is trained, and the machines and commands that have trained it."""

import json
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from pydantic import ValidationError

from search.config import Protocol
from search.executors.environments import num_cores
from search.training.device import cpu_name
from space import Refusal
from space.architecture import first_problem

from .rows import GridFiles


def add_session(files: GridFiles, protocol: Protocol, device: str) -> None:
    """Write how the grid is trained, and add the machine and the command where they are new."""
    known = json.loads(files.facts.read_text()) if files.facts.exists() else {}
    session = {"command": _command(), "machine": _machine(device)}
    sessions = known.get("sessions", [])
    facts = {
        **known,
        "protocol": protocol.model_dump(mode="json"),
        "sessions": sessions if session in sessions else [*sessions, session],
    }
    complete = files.facts.with_suffix(".part")
    complete.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    complete.replace(files.facts)


def protocol_of(files: GridFiles, given: Path | None) -> Protocol:
    """Return the grid's protocol, which the given file may name for a grid without one.

    Raises:
        Refusal: the file breaks a rule, or names another protocol than the grid has.
    """
    if given is None:
        return files.protocol()
    try:
        wanted = Protocol.model_validate_json(given.read_text())
    except OSError as error:
        raise Refusal(f"--protocol must be a file that can be read: {error}") from error
    except ValidationError as error:
        raise Refusal(f"{given}: {first_problem(error)}") from error
    if files.facts.exists() and files.protocol() != wanted:
        raise Refusal(f"{files.facts} holds another protocol than {given}: leave --protocol out")
    return wanted


def _machine(device: str) -> dict[str, object]:
    gpu = {"gpu": torch.cuda.get_device_name()} if device == "cuda" else {}
    found = {"cpu": cpu_name(), "cores": num_cores(), **gpu, "system": platform.system()}
    return {**found, "python": platform.python_version(), "torch": version("torch")}


def _command() -> str:
    return shlex.join(["python", "-m", "benchmarks.grid.make", *sys.argv[1:]])
