"""A world in a file: versioned JSON. Sessions are left out, so a restart makes clients log in again."""

from __future__ import annotations

import json
import os
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vcdsim import leases, tasks
from vcdsim.checking import check_world
from vcdsim.clock import Clock
from vcdsim.codec import decode_at, fields
from vcdsim.world import World

if sys.platform != "win32":
    import fcntl

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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other simulators off the file while the block runs; ValueError when one has it.

    The lock is on a file beside it, as saving replaces the file itself; a killed process leaves none.
    Windows has no such locks.
    """
    with path.with_name(path.name + ".lock").open("w") as file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"another vcdsim keeps its world in {path}") from None
        yield


def load(path: Path, clock: Clock) -> World | None:
    """The world in the file, None when there is no file; a foreign or broken file is a ValueError."""
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and data.get("format") == FORMAT and data.get("version") != VERSION:
        raise ValueError(f"{path} has version {data.get('version')}, this vcdsim reads version {VERSION}")
    try:
        return from_data(data, clock)
    except ValueError as wrong:
        raise ValueError(f"{path}: {wrong}") from None


def from_data(data: object, clock: Clock) -> World:
    """The world of a parsed dump; ValueError when it is none or does not hang together."""
    if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise ValueError("this is not a saved world of vcdsim")
    hints = typing.get_type_hints(World)
    try:
        kept = {name: decode_at(name, hints[name], data[name]) for name in _KEPT if name in data}
    except ValueError as wrong:
        raise ValueError(f"this is not a saved world of vcdsim: {wrong}") from None
    world = World(clock, **kept)
    check_world(world)
    tasks.resume_agenda(world)
    leases.watch_all(world)
    return world
