"""With CI=true nothing may be skipped; elsewhere a skip stays a skip, and an expected failure always stays one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.setup import ROOT

SUITE = {
    "test_skip.py": "import pytest\ndef test_it(): pytest.skip('no such program')\n",
    "test_module.py": "import pytest\npytest.skip('not here', allow_module_level=True)\n",
    "test_expected.py": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n",
}


@pytest.mark.parametrize(
    ("file", "ci", "status"),
    [
        ("test_skip.py", "", 0),
        ("test_skip.py", "true", 1),
        ("test_module.py", "true", 2),
        ("test_expected.py", "true", 0),
    ],
)
def test_a_skip_is_a_failure_in_ci_alone(tmp_path: Path, file: str, ci: str, status: int) -> None:
    (tmp_path / file).write_text(SUITE[file])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.no_skips", "-p", "no:cacheprovider", tmp_path / file],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": ci},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == status, done.stdout.decode()
