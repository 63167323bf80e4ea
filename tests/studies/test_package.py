import pkgutil
import subprocess
import sys
from types import ModuleType

import studies

NAMES = set(dir(studies))
HEAVY = {"sqlalchemy", "optuna", "scipy", "numpy"}


def test_every_exported_name_is_there_and_is_no_module_of_the_package() -> None:
    modules = {one.name for one in pkgutil.iter_modules(studies.__path__)}
    assert len(NAMES) > 50
    assert not modules & NAMES
    assert not [one for one in NAMES if isinstance(getattr(studies, one), ModuleType)]


def test_what_a_worker_imports_brings_neither_database_nor_statistics() -> None:
    code = "import sys, search.executors.process; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "studies.store.records" in found.stdout.split()
    assert not HEAVY & set(found.stdout.split())
