"""Sizes, names and passwords of machines, as tables."""

from typing import Any

import pytest

from app.cloud.sizes import (
    Free,
    Plan,
    Shape,
    Size,
    bounds,
    misfit,
    password_errors,
    plan,
    resize_bounds,
    size_errors,
    vapp_name_errors,
    vm_name_errors,
)

LEAST = Size(cpu_count=1, memory_mb=1024, disk_gb=10)
MOST = Size(cpu_count=8, memory_mb=16384, disk_gb=200)
PLENTY = Free(cpu_count=None, memory_mb=None, disk_gb=None, vm_count=None)
SCARCE = Free(cpu_count=4, memory_mb=2048, disk_gb=20, vm_count=1)


def test_the_template_sets_the_bounds_where_the_data_center_has_plenty() -> None:
    limits = bounds(LEAST, MOST, PLENTY)
    assert (limits.cpu_count.least, limits.cpu_count.most, limits.cpu_count.cause) == (1, 8, "template")


def test_the_data_center_sets_the_most_where_it_has_less() -> None:
    limits = bounds(LEAST, MOST, SCARCE)
    assert (limits.memory_mb.most, limits.memory_mb.cause) == (2048, "vdc")


@pytest.mark.parametrize(
    ("size", "codes"),
    [
        (Size(cpu_count=2, memory_mb=2048, disk_gb=10), []),
        (Size(cpu_count=0, memory_mb=2048, disk_gb=10), ["cpu_count_too_small"]),
        (Size(cpu_count=5, memory_mb=2048, disk_gb=10), ["cpu_count_too_large_vdc"]),
        (Size(cpu_count=1, memory_mb=1022, disk_gb=10), ["memory_mb_too_small", "memory_mb_not_multiple"]),
        (Size(cpu_count=1, memory_mb=1024, disk_gb=9), ["disk_gb_too_small"]),
    ],
)
def test_a_size_out_of_bounds_is_refused_at_its_field(size: Size, codes: list[str]) -> None:
    errors = list(size_errors(size, bounds(LEAST, MOST, SCARCE)))
    assert [error.code for error in errors] == codes
    assert all(error.field and error.code.startswith(error.field) for error in errors)


@pytest.mark.parametrize(
    ("free", "vm_count", "code"),
    [
        (PLENTY, 1, None),
        (SCARCE, 1, None),
        (SCARCE, 2, "template_needs_vms"),
        (Free(cpu_count=0, memory_mb=None, disk_gb=None, vm_count=None), 1, "template_needs_cpu_count"),
        (Free(cpu_count=None, memory_mb=1000, disk_gb=None, vm_count=None), 1, "template_needs_memory_mb"),
        (Free(cpu_count=None, memory_mb=None, disk_gb=9, vm_count=None), 1, "template_needs_disk_gb"),
    ],
)
def test_a_template_that_does_not_fit_says_what_it_needs(free: Free, vm_count: int, code: str | None) -> None:
    reason = misfit(bounds(LEAST, MOST, free), free, vm_count)
    assert (reason.code if reason else None) == code


@pytest.mark.parametrize(
    ("vm_name", "windows", "code"),
    [
        ("web-03", False, None),
        ("a", False, None),
        ("x" * 63, False, None),
        ("x" * 64, False, "vm_name_long"),
        ("x" * 15, True, None),
        ("x" * 16, True, "vm_name_long_windows"),
        ("", False, "vm_name_empty"),
        ("-web", False, "vm_name_bad"),
        ("web-", False, "vm_name_bad"),
        ("web 1", False, "vm_name_bad"),
        ("сервер", False, "vm_name_bad"),
        ("web\n", False, "vm_name_bad"),
        ("12345", False, "vm_name_digits"),
    ],
)
def test_a_name_must_do_for_a_computer(vm_name: str, windows: bool, code: str | None) -> None:  # noqa: FBT001
    assert next((error.code for error in vm_name_errors(vm_name, windows=windows)), None) == code


@pytest.mark.parametrize(
    ("vapp_name", "code"),
    [
        ("Магазин 1", None),
        ("", "vapp_name_bad"),
        (" shop", "vapp_name_bad"),
        ("a\x00b", "vapp_name_bad"),
        ("x" * 129, "vapp_name_long"),
    ],
)
def test_a_vapp_name_may_be_any_words_of_128_characters(vapp_name: str, code: str | None) -> None:
    assert next((error.code for error in vapp_name_errors(vapp_name)), None) == code


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("Adm!n_42", None),
        ("x" * 64, None),
        ("short", "vm_password_length"),
        ("x" * 65, "vm_password_length"),
        ("пароль-пароль", "vm_password_characters"),
        ("with space 1", "vm_password_characters"),
    ],
)
def test_a_password_must_survive_the_way_into_the_guest(password: str, code: str | None) -> None:
    assert next((error.code for error in password_errors(password)), None) == code


def shape(**values: Any) -> Shape:
    """A running machine of 4 processors in pairs and 4 GB, with hot add."""
    usual = {"is_on": True, "cpu_count": 4, "memory_mb": 4096, "cores_per_socket": 2}
    return Shape(**{**usual, "cpu_hot_add": True, "memory_hot_add": True, **values})


@pytest.mark.parametrize(
    ("values", "cpu_count", "memory_mb", "expected"),
    [
        ({}, 8, 8192, Plan.HOT),
        ({}, 4, 8192, Plan.HOT),
        ({}, 5, 4096, Plan.RESTART),  # the cores of a socket do not divide it
        ({"cores_per_socket": None}, 5, 4096, Plan.HOT),
        ({"cores_per_socket": 3}, 4, 8192, Plan.HOT),  # nothing about the processors changes
        ({}, 2, 8192, Plan.RESTART),
        ({}, 8, 2048, Plan.RESTART),
        ({"cpu_hot_add": False}, 8, 4096, Plan.RESTART),
        ({"cpu_hot_add": False}, 4, 8192, Plan.HOT),
        ({"memory_hot_add": False}, 8, 4096, Plan.HOT),
        ({"memory_hot_add": False}, 4, 8192, Plan.RESTART),
        ({"is_on": False}, 5, 2048, Plan.OFF),
    ],
)
def test_only_growth_with_hot_add_and_whole_sockets_needs_no_restart(
    values: dict[str, Any], cpu_count: int, memory_mb: int, expected: Plan
) -> None:
    assert plan(shape(**values), cpu_count, memory_mb) is expected


def test_a_machine_can_have_what_it_has_and_what_is_free() -> None:
    limits = resize_bounds(shape(), SCARCE)
    assert (limits.cpu_count.least, limits.cpu_count.most, limits.cpu_count.cause) == (1, 8, "vdc")
    assert (limits.memory_mb.least, limits.memory_mb.most, limits.memory_mb.cause) == (512, 6144, "vdc")


def test_a_machine_may_keep_what_others_could_not_have() -> None:
    limits = resize_bounds(shape(cpu_count=64, memory_mb=256), PLENTY)
    assert (limits.cpu_count.most, limits.cpu_count.cause, limits.memory_mb.least) == (64, "vsphere", 256)
