"""A world in a file: versioned JSON. Sessions are left out, so a restart makes clients log in again."""

from __future__ import annotations

import dataclasses
import json
import os
import typing
from pathlib import Path

from vcdsim import leases, tasks
from vcdsim.clock import Clock
from vcdsim.codec import decode, fields
from vcdsim.world import World

FORMAT = "vcdsim-world"
VERSION = 1
_KEPT = (
    "orgs",
    "users",
    "vdcs",
    "storage_profiles",
    "networks",
    "catalogs",
    "templates",
    "template_vms",
    "media",
    "vapps",
    "vms",
    "disks",
    "roles",
    "api_tokens",
    "tasks",
    "mac_count",
)


def dump(world: World) -> str:
    """The world as JSON text."""
    kept = {name: getattr(world, name) for name in _KEPT}
    return json.dumps({"format": FORMAT, "version": VERSION, **kept}, default=fields, separators=(",", ":"))


def write(path: Path, text: str) -> None:
    """Replace the file in one step: a reader sees the old world or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)  # there are passwords in it
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load(path: Path, clock: Clock) -> World | None:
    """The world in the file, None when there is no file; a foreign file is a ValueError."""
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        data = None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{path} is not a saved world of vcdsim")
    if data.get("version") != VERSION:
        raise ValueError(f"{path} has version {data.get('version')}, this vcdsim reads version {VERSION}")
    return _decoded(data, clock)


def from_data(data: object, clock: Clock) -> World:
    """The world of a parsed dump; ValueError when it is none."""
    if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise ValueError("this is not a saved world of vcdsim")
    try:
        return _decoded(data, clock)
    except (TypeError, AttributeError, KeyError) as wrong:
        raise ValueError(f"this is not a saved world of vcdsim: {wrong}") from None


def _decoded(data: dict[str, object], clock: Clock) -> World:
    hints = typing.get_type_hints(World)
    known = {field.name for field in dataclasses.fields(World)}
    kept = {name: decode(hints[name], data[name]) for name in _KEPT if name in data and name in known}
    world = World(clock, **kept)
    tasks.resume_agenda(world)
    leases.watch_all(world)
    return world
