"""Hostile XML: refused with a reason, in bounded memory, without a look at any file or address."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vcloud import machines, xml
from tests.vcloud.support import NAMESPACE, fixture

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
VM = fixture("vm-36").encode()


@pytest.mark.parametrize(
    "document",
    [
        f'<!DOCTYPE Vm [<!ENTITY a0 "ha">{LAUGHS}]><Vm xmlns="{NAMESPACE}">&a10;</Vm>',
        f'<!DOCTYPE Vm [<!ENTITY x SYSTEM "file:///etc/passwd">]><Vm xmlns="{NAMESPACE}">&x;</Vm>',
        f'<!DOCTYPE Vm SYSTEM "http://127.0.0.1:9/x.dtd"><Vm xmlns="{NAMESPACE}"/>',
        f'<!DOCTYPE Vm><Vm xmlns="{NAMESPACE}"/>',
        f'<Vm xmlns="{NAMESPACE}">&unknown;</Vm>',
        f'<Vm xmlns="{NAMESPACE}">{"<a>" * 300}{"</a>" * 300}</Vm>',
        f'<Vm xmlns="{NAMESPACE}">{"<a/>" * (xml.TAG_LIMIT + 1)}</Vm>',
        f'<Vm xmlns="{NAMESPACE}" name="{"x" * xml.BODY_LIMIT_BYTES}"/>',
        f'<Vm xmlns="{NAMESPACE}">\0</Vm>',
        f'<Vm xmlns="{NAMESPACE}"></vm>',
        "<Vm/>",
        "",
        "   ",
        "\ufeff",
        "null",
    ],
    ids=lambda document: document[:24],
)
def test_a_hostile_document_is_refused(document: str) -> None:
    with pytest.raises(xml.MalformedError):
        xml.parse(document.encode(), "Vm")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(xml.MalformedError):
        xml.parse(f'<Vm xmlns="{NAMESPACE}"/>'.encode(encoding), "Vm")


def test_invalid_utf_8_is_refused_whatever_the_document_declares() -> None:
    with pytest.raises(xml.MalformedError):
        xml.parse(
            b'<?xml version="1.0" encoding="latin-1"?><Vm xmlns="' + NAMESPACE.encode() + b'" name="\xff"/>', "Vm"
        )


def test_two_hundred_thousand_attributes_are_only_slow() -> None:
    many = " ".join(f'a{number}=""' for number in range(200_000))
    assert len(xml.parse(f'<Vm xmlns="{NAMESPACE}" {many}/>'.encode(), "Vm").attrib) == 200_000


def test_comments_and_instructions_are_no_children() -> None:
    root = xml.parse(f'<Vm xmlns="{NAMESPACE}"><!-- c --><?x y?><Description>d</Description></Vm>'.encode(), "Vm")
    assert [item.tag for item in root] == [f"{{{NAMESPACE}}}Description"]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_vm_or_malformed(body: bytes) -> None:
    with pytest.raises(xml.MalformedError):
        machines.vm(xml.parse(body, "Vm"))


@given(st.integers(0, len(VM) - 1), st.binary(min_size=0, max_size=6), st.integers(0, 40))
def test_a_damaged_vm_is_a_vm_or_malformed(place: int, inserted: bytes, dropped: int) -> None:
    damaged = VM[:place] + inserted + VM[place + dropped :]
    with contextlib.suppress(xml.MalformedError):
        machines.vm(xml.parse(damaged, "Vm"))


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_is_read_or_malformed(value: str) -> None:
    for read in (xml.integer, xml.boolean, xml.moment):
        with contextlib.suppress(xml.MalformedError):
            read(value)


@given(st.integers(-(10**17), 10**17))
def test_a_number_is_read_as_it_is_written(number: int) -> None:
    assert xml.integer(f" {number}\n") == number


@pytest.mark.parametrize("value", ["1_000", "٣", "1e3", "0x10", "9" * 19, "--1", "1 2", "NaN"])
def test_what_is_no_whole_number_is_malformed(value: str) -> None:
    with pytest.raises(xml.MalformedError):
        xml.integer(value)


def test_a_moment_without_a_zone_is_utc_and_an_unreadable_one_is_none() -> None:
    moment = xml.moment("2026-05-21T16:50:33")
    assert moment
    assert moment.isoformat() == "2026-05-21T16:50:33+00:00"
    for unreadable in ("", "yesterday", "0001-01-01T00:00:00+14:00", None):
        assert xml.moment(unreadable) is None
