"""Rules about sizes, names and passwords of machines. Pure: no database, no clock, no web."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from app.errors import AppError


@dataclass(frozen=True, kw_only=True)
class Size:
    """CPU, memory and disk of a machine."""

    cpu_count: int
    memory_mb: int
    disk_gb: int


def total(sizes: Iterable[Size]) -> Size:
    """All of them together."""
    every = list(sizes)
    return Size(
        cpu_count=sum(size.cpu_count for size in every),
        memory_mb=sum(size.memory_mb for size in every),
        disk_gb=sum(size.disk_gb for size in every),
    )


@dataclass(frozen=True, kw_only=True)
class Free:
    """What a virtual data center has left; None means that it sets no limit."""

    cpu_count: int | None
    memory_mb: int | None
    disk_gb: int | None
    vm_count: int | None
    disk_profile: str | None = None  # the storage profile that has no more than `disk_gb`, if it is it that sets it


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The least and the most of one quantity, and who sets the most: "template", "vdc" or "vsphere"."""

    least: int
    most: int
    cause: str

    @property
    def fits(self) -> bool:
        """Whether any value is possible at all."""
        return self.least <= self.most


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The bounds of a new machine from one template in one virtual data center."""

    cpu_count: Bound
    memory_mb: Bound
    disk_gb: Bound


# What one machine can have at most when neither template nor data center says less: vSphere's maximums of the
# oldest supported virtual hardware (version 8: 32 processors, 1 TB), and a disk of 62 TB, rounded down.
HARD_LIMITS = Size(cpu_count=32, memory_mb=1024 * 1024, disk_gb=62 * 1024)


def bounds(least: Size, template_most: Size, free: Free) -> Bounds:
    """What may be asked of a template: not less than it has, not more than it allows or the data center has free."""
    return Bounds(
        cpu_count=_bound(least.cpu_count, template_most.cpu_count, free.cpu_count),
        memory_mb=_bound(least.memory_mb, template_most.memory_mb, free.memory_mb),
        disk_gb=_bound(least.disk_gb, template_most.disk_gb, free.disk_gb),
    )


def _bound(least: int, template_most: int, free: int | None) -> Bound:
    if free is not None and free < template_most:
        return Bound(least=least, most=max(free, 0), cause="vdc")
    return Bound(least=least, most=template_most, cause="template")


def misfit(limits: Bounds, free: Free, vm_count: int) -> AppError | None:
    """Why a template cannot be used at all now, or None. `vm_count` is the number of machines it makes."""
    if free.vm_count is not None and vm_count > free.vm_count:
        return AppError("template_needs_vms", needs=vm_count, free=free.vm_count)
    for name in ("cpu_count", "memory_mb", "disk_gb"):
        bound: Bound = getattr(limits, name)
        if not bound.fits and name == "disk_gb" and free.disk_profile is not None:
            profile = free.disk_profile
            return AppError("profile_has_no_disk_gb", needs=bound.least, free=bound.most, profile=profile)
        if not bound.fits:
            return AppError(f"template_needs_{name}", needs=bound.least, free=bound.most)
    return None


def size_errors(size: Size, limits: Bounds) -> Iterator[AppError]:
    """One error, bound to its field, for each quantity outside of its bounds."""
    for name in ("cpu_count", "memory_mb", "disk_gb"):
        value, bound = getattr(size, name), getattr(limits, name)
        if not bound.least <= value <= bound.most:
            code = "too_small" if value < bound.least else f"too_large_{bound.cause}"
            yield AppError(f"{name}_{code}", 400, field=name, value=value, least=bound.least, most=bound.most)
    if size.memory_mb % 4:
        yield AppError("memory_mb_not_multiple", 400, field="memory_mb")


# ---- another size for an existing machine ------------------------------------------------------------------------

CPU_LEAST, MEMORY_LEAST_MB = 1, 512


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Processors and memory of a machine, and what decides how they can change."""

    is_on: bool
    cpu_count: int
    memory_mb: int
    cores_per_socket: int | None
    cpu_hot_add: bool
    memory_hot_add: bool


class Plan(StrEnum):
    """How processors and memory of a machine change."""

    HOT = "hot"  # while it runs
    RESTART = "restart"  # it is stopped for it, and started again
    OFF = "off"  # it is off, and stays off


def plan(shape: Shape, cpu_count: int, memory_mb: int) -> Plan:
    """How the machine gets this size. A running one can only grow, where its hot add is on.

    Its cores per socket never change while it runs. A number of processors that they do not divide changes them: vCloud
    would refuse it as it is.
    """
    if not shape.is_on:
        return Plan.OFF
    keeps_cores = cpu_count % (shape.cores_per_socket or 1) == 0
    cpu_hot = cpu_count == shape.cpu_count or (shape.cpu_hot_add and cpu_count > shape.cpu_count and keeps_cores)
    memory_hot = memory_mb == shape.memory_mb or (shape.memory_hot_add and memory_mb > shape.memory_mb)
    return Plan.HOT if cpu_hot and memory_hot else Plan.RESTART


@dataclass(frozen=True, kw_only=True)
class ResizeBounds:
    """The bounds of processors and memory of an existing machine."""

    cpu_count: Bound
    memory_mb: Bound


def resize_bounds(shape: Shape, free: Free) -> ResizeBounds:
    """What the machine can have: what it has, and what is free. It may always keep what it has."""
    return ResizeBounds(
        cpu_count=_resize_bound(shape.cpu_count, free.cpu_count, CPU_LEAST, HARD_LIMITS.cpu_count),
        memory_mb=_resize_bound(shape.memory_mb, free.memory_mb, MEMORY_LEAST_MB, HARD_LIMITS.memory_mb),
    )


def _resize_bound(present: int, free: int | None, least: int, most: int) -> Bound:
    if free is not None and present + free < most:
        return Bound(least=min(least, present), most=present + free, cause="vdc")
    return Bound(least=min(least, present), most=max(most, present), cause="vsphere")


def resize_errors(shape: Shape, cpu_count: int, memory_mb: int, limits: ResizeBounds) -> Iterator[AppError]:
    """What is wrong with another size for the machine, each error bound to its field."""
    for name, value, bound in (("cpu_count", cpu_count, limits.cpu_count), ("memory_mb", memory_mb, limits.memory_mb)):
        if not bound.least <= value <= bound.most:
            code = "too_small" if value < bound.least else f"too_large_{bound.cause}"
            yield AppError(f"new_{name}_{code}", 400, field=name, value=value, least=bound.least, most=bound.most)
    if memory_mb % 4 and memory_mb != shape.memory_mb:
        yield AppError("memory_mb_not_multiple", 400, field="memory_mb")
    if (cpu_count, memory_mb) == (shape.cpu_count, shape.memory_mb):
        yield AppError("size_unchanged", 400, field="cpu_count")


# ---- names and passwords -----------------------------------------------------------------------------------------

VM_NAME_MOST, WINDOWS_NAME_MOST, VAPP_NAME_MOST = 63, 15, 128
PASSWORD_LEAST, PASSWORD_MOST = 8, 64


def put_away_suffix(urn: str) -> str:
    """How the name of a machine, or of a vApp, ends in vCloud while it is in the recycle bin."""
    return f"-deleted-{urn[-8:]}"


def vm_name_errors(vm_name: str, *, windows: bool) -> Iterator[AppError]:
    """Errors of the name of a machine. It becomes the computer name, so it obeys RFC 1123 (NetBIOS for Windows)."""
    most = WINDOWS_NAME_MOST if windows else VM_NAME_MOST
    if not vm_name:
        yield AppError("vm_name_empty", 400, field="vm_name")
    elif not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", vm_name):
        yield AppError("vm_name_bad", 400, field="vm_name", most=most)
    elif vm_name.isdigit():
        yield AppError("vm_name_digits", 400, field="vm_name")
    elif len(vm_name) > most:
        code = "vm_name_long_windows" if windows else "vm_name_long"
        yield AppError(code, 400, field="vm_name", most=most, length=len(vm_name))


def vapp_name_errors(vapp_name: str) -> Iterator[AppError]:
    """Errors of the name of a vApp, which may be any words."""
    if not vapp_name.strip() or vapp_name != vapp_name.strip() or not vapp_name.isprintable():
        yield AppError("vapp_name_bad", 400, field="vapp_name")
    elif len(vapp_name) > VAPP_NAME_MOST:
        yield AppError("vapp_name_long", 400, field="vapp_name", most=VAPP_NAME_MOST, length=len(vapp_name))


def machine_names_errors(
    names: Sequence[str], template_names: Sequence[str], are_windows: Sequence[bool]
) -> Iterator[AppError]:
    """Errors of the names of machines that are made together; each tells its `number`, from 1, and the bad `name`.

    None may have the name that another one has in the template: below API 5.6 they begin with those.
    """
    if len(names) != len(template_names):
        yield AppError("machine_names_count", 400, field="machine_names", count=len(template_names))
        return
    for number, (name, is_windows) in enumerate(zip(names, are_windows, strict=True), 1):
        others = {*names[: number - 1], *template_names[: number - 1], *template_names[number:]}
        wrong = next(vm_name_errors(name, windows=is_windows), None)
        if wrong is not None:
            yield AppError(wrong.code, 400, field="machine_names", number=number, **wrong.params)
        elif name.lower() in {other.lower() for other in others}:
            yield AppError("machine_name_twice", 400, field="machine_names", number=number, name=name)


def default_names(template_names: Sequence[str], are_windows: Sequence[bool], taken: Collection[str] = ()) -> list[str]:
    """Names like those in the template that computers can have, each only once and none that is `taken`."""
    found: list[str] = []
    for template_name, is_windows in zip(template_names, are_windows, strict=True):
        most = WINDOWS_NAME_MOST if is_windows else VM_NAME_MOST
        plain = re.sub(r"[^A-Za-z0-9]+", "-", template_name).strip("-") or "server"
        plain = f"vm-{plain}" if plain.isdigit() else plain
        endings = chain([""], (f"-{number}" for number in range(2, 1000)))
        names = (plain[: most - len(ending)].strip("-") + ending for ending in endings)
        found.append(next(name for name in names if name not in found and name not in taken))
    return found


def password_errors(password: str) -> Iterator[AppError]:
    """Errors of a password chosen by the customer: vCloud sends it to the guest, so plain printable ASCII only."""
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        yield AppError("vm_password_length", 400, field="password", least=PASSWORD_LEAST, most=PASSWORD_MOST)
    elif not re.fullmatch(r"[!-~]+", password):
        yield AppError("vm_password_characters", 400, field="password")
