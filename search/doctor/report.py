"""Findings on the screen and as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from .finding import Finding

FORMATS = ("table", "json")


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Say whether nothing keeps a study from running; a warning does not."""
    return all(one.state != "problem" for one in findings)


def as_text(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, its remedy below it, and how many there are of each."""
    width = max(len(one.area) for one in findings)
    lines = []
    for one in findings:
        lines.append(f"{one.state:8} {one.area:{width}}  {one.what}")
        if one.remedy:
            lines.append(f"{'':8} {'':{width}}  -> {one.remedy}")
    counts = Counter(one.state for one in findings)
    return "\n".join(
        [
            *lines,
            f"{_counted(counts['problem'], 'problem')}, {_counted(counts['warning'], 'warning')}",
        ]
    )


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings and whether all is well."""
    listed = [asdict(one) for one in findings]
    return json.dumps({"healthy": is_healthy(findings), "findings": listed}, indent=2)


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
