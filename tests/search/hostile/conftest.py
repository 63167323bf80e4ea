"""A folder to be hostile in, and nothing that trains."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.hostile.judged import stop_at_work
from tests.search.hostile.yard import fill, put_back


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that a case may name."""
    made = tmp_path_factory.mktemp("files")
    fill(made)
    return made


@pytest.fixture(scope="module")
def template(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder that each case finds a copy of as its working folder."""
    working = tmp_path_factory.mktemp("working")
    put_back(working, files)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(working)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        stop_at_work(patch)
        yield files
