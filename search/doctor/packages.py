"""The packages of this program against the versions that its own metadata asks for."""

import platform
from collections.abc import Callable, Iterable
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from .finding import Finding

PROGRAM = "attention-search"
SHOWN = ("torch", "torchvision", "optuna", "sqlalchemy", "plotly", "ray", "psycopg")
VersionOf = Callable[[str], str | None]


def package_findings() -> list[Finding]:
    """Return the versions that matter, and every one that is missing or out of its range."""
    try:
        own = metadata.distribution(PROGRAM)
    except metadata.PackageNotFoundError:
        what = f"{PROGRAM} is not installed, so nothing says which versions it needs"
        return [Finding("packages", "warning", what, "pip install --editable . in its folder")]
    pythons = str(own.metadata["Requires-Python"])
    found = [*python_findings(pythons, platform.python_version())]
    found += unmet(PROGRAM, own.requires or (), installed_version)
    if installed_version("torchvision"):  # each is built for one version of torch
        found += unmet("torchvision", metadata.requires("torchvision") or (), installed_version)
    named = [f"{name} {version}" for name in SHOWN if (version := installed_version(name))]
    shown = Finding("packages", "ok", f"{PROGRAM} {own.version}; {', '.join(named)}")
    return [shown, *found]


def installed_version(name: str) -> str | None:
    """Return the version that is installed, if any."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def python_findings(wanted: str, version: str) -> list[Finding]:
    """Return whether this Python is one that the program is made for."""
    if SpecifierSet(wanted).contains(version, prereleases=True):
        return []
    what = f"Python must be {wanted}, got {version}"
    return [Finding("packages", "problem", what, "make an environment with such a Python")]


def unmet(owner: str, requirements: Iterable[str], version_of: VersionOf) -> list[Finding]:
    """Return what a package asks for and does not get; an extra's packages may be missing."""
    found = []
    for text in requirements:
        asked = Requirement(text)
        is_needed = asked.marker is None or asked.marker.evaluate({"extra": ""})
        version = version_of(asked.name)
        if version is None and not is_needed:
            continue
        if version is None or not asked.specifier.contains(version, prereleases=True):
            what = f"{owner} needs {asked.name}{asked.specifier}, got {version or 'none'}"
            remedy = f"pip install '{asked.name}{asked.specifier}'"
            found.append(Finding("packages", "problem" if is_needed else "warning", what, remedy))
    return found
