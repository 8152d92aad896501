"""The import table of ARCHITECTURE.md, as a test: which room may know which."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BELOW = {"app.db", "app.clock", "app.errors", "app.sealing"}
ACCOUNTS = BELOW | {"app.accounts"}
CLOUD = ACCOUNTS | {"app.cloud", "app.vcloud"}
PAGES = CLOUD - {"app.vcloud"} | {"app.blueprints", "app.texts", "config"}
EVERYTHING = PAGES | {"app.vcloud", "app.jobs", "app.logs", "app.cli", "app.demo", "app.factory", "app"}

# From a module or package to what it may import: of ours, and of others beside the standard library.
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "config": (set(), set()),
    "app.clock": (set(), set()),
    "app.errors": (set(), set()),
    "app.db": (set(), {"flask", "flask_migrate", "flask_sqlalchemy", "sqlalchemy"}),
    "app.sealing": ({"app.db"}, {"cryptography", "flask", "sqlalchemy"}),
    "app.logs": (set(), {"flask"}),
    "app.accounts": (ACCOUNTS, {"sqlalchemy", "argon2"}),
    "app.accounts.rules": ({"app.errors"}, set()),
    "app.vcloud": ({"app.vcloud"}, {"requests", "urllib3", "lxml"}),
    "app.cloud": (CLOUD | {"app"}, {"sqlalchemy"}),
    "app.cloud.rules": (set(), set()),
    "app.cloud.console_rules": ({"app.cloud.rules"}, set()),
    # lxml with safe settings is how XML is read everywhere here; the standard library would need the same care by hand.
    "app.cloud.packet": ({"app.errors"}, {"lxml"}),
    "app.cloud.packet_reader": ({"app.errors", "app.cloud.packet"}, {"lxml"}),
    "app.cloud.sync_rules": ({"app.vcloud", "app"}, set()),
    "app.cloud.drift_rules": (set(), set()),
    "app.cloud.sizes": ({"app.errors"}, set()),
    "app.cloud.vm_filter": (set(), set()),
    "app.texts": (
        {
            "app.errors",
            "app.accounts.rules",
            "app.cloud.console_rules",
            "app.cloud.drift_rules",
            "app.cloud.explain",
            "app.cloud.rules",
            "app.texts",
        },
        {"babel", "flask", "flask_babel", "markupsafe"},
    ),
    "app.blueprints": (
        PAGES | {"app"},
        {
            "babel",
            "flask",
            "flask_babel",
            "flask_login",
            "flask_wtf",
            "markupsafe",
            "sqlalchemy",
            "werkzeug",
            "wtforms",
        },
    ),
    "app.jobs": (CLOUD - {"app.vcloud"} | {"app", "config"}, {"flask", "redis", "rq", "sqlalchemy"}),
    "app.console_gateway": (
        {
            "app.accounts.sign_in",
            "app.cloud.console_seats",
            "app.console_gateway",
            "app.factory",
            "config",
        },
        {"flask", "websockets"},  # flask: the type of the application
    ),
    "app.cli": (EVERYTHING - {"app.blueprints"}, {"click", "flask", "flask_babel", "sqlalchemy"}),
    "app.demo": (CLOUD - {"app.vcloud"}, {"sqlalchemy"}),
    "app.factory": (EVERYTHING, {"flask", "flask_login", "flask_wtf", "sqlalchemy", "werkzeug"}),
    "worker": (EVERYTHING | {"config"}, {"flask", "redis", "rq", "sqlalchemy"}),
    "wsgi": ({"app.factory", "config"}, set()),
    "vcdsim": ({"vcdsim"}, {"lxml"}),
    "vcdsim.console": ({"vcdsim"}, {"PIL", "websockets"}),
    "vcdsim.console.certificate": (set(), {"cryptography"}),
    "tools": ({"tools", "config"}, set()),
}


def _files() -> Iterator[tuple[str, Path]]:
    for path in [*ROOT.glob("*.py"), *(p for top in ("app", "vcdsim", "tools") for p in (ROOT / top).rglob("*.py"))]:
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if _is_ours(name) and _exists(name) else node.module for name in inner)


def _exists(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in {"app", "config", "vcdsim", "worker", "wsgi", "tools"}


def _row(module: str) -> tuple[set[str], set[str]]:
    names = [row for row in TABLE if module == row or module.startswith(f"{row}.")]
    assert names, f"{module} stands in no row of the table"
    return TABLE[max(names, key=len)]


def _allowed(name: str, ours: set[str]) -> bool:
    return any(name == allowed or (allowed != "app" and name.startswith(f"{allowed}.")) for allowed in ours)


@pytest.mark.parametrize(("module", "path"), [pytest.param(*file, id=file[0]) for file in _files() if file[0] != "app"])
def test_a_module_imports_only_what_its_room_may_know(module: str, path: Path) -> None:
    ours, others = _row(module)
    for name in _imports(path):
        if _is_ours(name):
            assert _allowed(name, ours), f"{module} may not import {name}"
        elif name.partition(".")[0] not in sys.stdlib_module_names:
            assert name.partition(".")[0] in others, f"{module} may not import {name}"


def test_the_app_package_itself_imports_nothing() -> None:
    assert list(_imports(ROOT / "app" / "__init__.py")) == []


def test_only_the_use_cases_commit() -> None:
    commits = [path for _, path in _files() if ".commit()" in path.read_text("utf-8")]
    assert commits == [ROOT / "app" / "db.py"]


def test_only_the_settings_read_the_environment() -> None:
    readers = [path for name, path in _files() if name.startswith("app.") and "os.environ" in path.read_text("utf-8")]
    assert readers == []


def test_only_the_clock_reads_the_wall_clock() -> None:
    readers = {
        name
        for name, path in _files()
        if name.startswith("app.")
        for call in ("datetime.now(", "utcnow(", "time.time(", "date.today(")
        if call in path.read_text("utf-8")
    }
    assert readers == {"app.clock"}
