"""What a run needs before its workers start loads neither figures nor reports."""

import subprocess
import sys

import pytest

DRAWN = {"plotly", "jinja2", "narwhals", "torch"}


@pytest.mark.parametrize(
    ("module", "loaded"),
    [("search.session, search.next_commands", set()), ("search.conclusion", DRAWN - {"torch"})],
)
def test_drawing_is_imported_at_the_end_of_a_run(module: str, loaded: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & DRAWN == loaded
