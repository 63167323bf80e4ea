"""Command lines as nobody should type them: one line and a 2, or the work begins."""

from pathlib import Path

from hypothesis import given

from tests.search.hostile.judged import judge
from tests.search.hostile.lines import command_lines


@given(line=command_lines())
def test_a_command_line_is_refused_in_one_line_or_taken(line: list[str], template: Path) -> None:
    judge(line, template)
