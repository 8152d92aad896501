"""Every template compiles, imports only what it uses, and keeps the rules of the house."""

import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import nodes

pytestmark = pytest.mark.one_database  # the application is only needed to parse them

FOLDER = Path(__file__).parent.parent / "app" / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
SVG_STYLE = re.compile(r"\sstyle=")


def tree(app: Flask, name: str) -> nodes.Template:
    return app.jinja_env.parse((FOLDER / name).read_text("utf-8"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_compiles(app: Flask, name: str) -> None:
    app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_uses_every_macro_that_it_imports(app: Flask, name: str) -> None:
    root = tree(app, name)
    imported = {str(macro) for found in root.find_all(nodes.FromImport) for macro in found.names}
    used = {found.name for found in root.find_all(nodes.Name)}
    assert imported <= used, f"imports but does not use {imported - used}"


def test_every_macro_of_the_components_is_used_somewhere(app: Flask) -> None:
    roots = {name: tree(app, name) for name in TEMPLATES}
    used = {found.name for root in roots.values() for found in root.find_all(nodes.Name)}
    defined = {found.name for root in roots.values() for found in root.find_all(nodes.Macro)}
    assert defined <= used, f"nobody uses {defined - used}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_inline(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    assert not SVG_STYLE.search(text)
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\son[a-z]+=", text)


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_is_short(name: str) -> None:
    assert len((FOLDER / name).read_text("utf-8").splitlines()) <= 150
