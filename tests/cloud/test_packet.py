"""The statistics packet: its form, written and read."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cloud import packet, packet_reader
from app.cloud.packet import Packet, PacketDisc, PacketNet, PacketState, PacketVApp, PacketVm
from app.errors import AppError
from tests.support.packet import STORY

# Whatever XML can hold, and what has to be written another way in it.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("<&>\"'\t\n\r \x7f\x85\u2028")
)
NUMBERS = st.integers(min_value=0, max_value=10**18 - 1)
DISCS = st.builds(PacketDisc, id=TEXTS, reserved_mb=NUMBERS)
VMS = st.builds(
    PacketVm,
    id=st.uuids(),
    name=TEXTS,
    state=st.sampled_from(PacketState),
    ext_ip=TEXTS,
    int_ip=TEXTS,
    template_id=st.none() | st.uuids(),
    os=TEXTS,
    password=TEXTS,
    discs=st.lists(DISCS, max_size=3).map(tuple),
    cpu_count=NUMBERS,
    memory_mb=NUMBERS,
)
VAPPS = st.builds(
    PacketVApp,
    id=st.uuids(),
    name=TEXTS,
    state=st.sampled_from(PacketState),
    vms=st.lists(VMS, max_size=2).map(tuple),
)
PACKETS = st.builds(
    Packet,
    id=TEXTS,
    is_enabled=st.booleans(),
    vdc_id=st.uuids(),
    nets=st.lists(st.builds(PacketNet, id=st.uuids(), name=TEXTS), max_size=2).map(tuple),
    vapps=st.lists(VAPPS, max_size=2).map(tuple),
)


def refusal(text: str) -> AppError:
    with pytest.raises(AppError) as refused:
        packet_reader.read(text)
    return refused.value


def test_the_example_of_the_story_comes_out_as_it_went_in() -> None:
    assert packet.write(packet_reader.read(STORY)) == STORY


def test_the_example_of_the_story_is_understood() -> None:
    read = packet_reader.read(STORY)
    assert (read.id, read.is_enabled, str(read.vdc_id)) == ("2560", True, "9fdc0391-4a27-4a6c-9b9f-91137849c1da")
    assert [(net.name, str(net.id)) for net in read.nets] == [
        ("orgnet-ISP_TEST2", "4b9de9ad-a4d1-44e5-a846-0143c380e854")
    ]
    (vapp,) = read.vapps
    assert (str(vapp.id), vapp.name, vapp.state) == (
        "ef6ed6d8-6538-440a-a91c-3dd5574c8787",
        "qwe",
        PacketState.STOPPED,
    )
    assert vapp.vms == (
        PacketVm(
            id=uuid.UUID("7e779303-8bb5-46c0-b4b9-8973bf4b18f5"),
            name="qwe",
            state=PacketState.STOPPED,
            ext_ip="92.242.45.21",
            int_ip="192.168.100.100",
            template_id=uuid.UUID("3dd2ee97-2f2d-465b-b5d4-2c4e0f07c225"),
            os="CentOS 4/5/6 (32-bit)",
            password="!R3!e3C7",
            discs=(PacketDisc(id="2000", reserved_mb=10240),),
            cpu_count=1,
            memory_mb=1024,
        ),
    )


@given(PACKETS)
def test_every_packet_is_read_as_it_was_written(whole: Packet) -> None:
    text = packet.write(whole)
    assert packet_reader.read(text) == whole
    assert "\n" not in text


def test_white_space_between_elements_and_a_declaration_do_no_harm() -> None:
    spread = '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n' + STORY.replace("> <", ">\n\t<") + "\n"
    assert packet_reader.read(spread) == packet_reader.read(STORY)


def test_comments_are_passed_over() -> None:
    assert packet_reader.read(STORY.replace("> <os", "> <!-- the system --> <os")) == packet_reader.read(STORY)


@pytest.mark.parametrize("character", ["\0", "\x1b", "\ud800", "\uffff"])
def test_a_character_that_xml_cannot_hold_is_refused_where_it_stands(character: str) -> None:
    whole = packet_reader.read(STORY.replace('value="!R3!e3C7"', 'value=""'))
    (vm,) = whole.vms
    with pytest.raises(AppError) as refused:
        packet.write(whole.with_passwords({vm.id: f"secret{character}"}))
    assert refused.value.code == "packet_text_bad"
    assert refused.value.params == {"element": "password", "attribute": "value"}


def test_a_password_is_in_no_repr() -> None:
    read = packet_reader.read(STORY)
    assert "!R3!e3C7" in packet.write(read)
    assert "!R3!e3C7" not in repr(read)


@pytest.mark.parametrize(
    ("text", "found", "wanted"),
    [
        (STORY.replace("item", "things"), "<things>", "<item>"),
        (re.sub(r"<cpu \S+ ", "", STORY), "<mem>", "<cpu>"),
        (STORY.replace('<mem reserved="1024"/> ', ""), "</vm>", "<mem>"),
        (STORY.replace("<os ", '<os value="b"/> <os '), "<os>", "<password>"),
        (STORY.replace("<cpu ", "<gpu/> <cpu "), "<gpu>", "<cpu>"),
        (STORY.replace("<net ", "<net xmlns='urn:x' "), "<{urn:x}net>", "</item>"),
        (STORY.replace("<mem ", "twice <mem "), "'twice'", "</vm>"),
        (STORY.replace("<vapp ", "\x9b31m <vapp "), r"'\x9b31m'", "</item>"),
        (STORY.replace('!R3!e3C7"/>', '!R3!e3C7">more</password>'), "'more'", "</password>"),
        (STORY.replace("</net>", "<b/></net>"), "<b>", "</net>"),
        (STORY.replace("</vm> </vapp>", "</vm> </vapp> <net name='late'>x</net>"), "<net>", "</item>"),
    ],
    ids=lambda value: value[-40:],
)
def test_an_element_in_the_wrong_place_is_named(text: str, found: str, wanted: str) -> None:
    error = refusal(text)
    assert (error.code, error.status) == ("packet_element_bad", 400)
    assert error.params == {"line": 1, "found": found, "wanted": wanted}


@pytest.mark.parametrize(
    ("old", "new", "code", "element", "attribute"),
    [
        (' ext_ip="92.242.45.21"', "", "packet_attribute_missing", "vm", "ext_ip"),
        (' vdcid="', ' vdc="', "packet_attribute_missing", "item", "vdcid"),
        (' name="orgnet-ISP_TEST2"', "", "packet_attribute_missing", "net", "name"),
        ('reserved="1024"', 'reserved="1024" unit="MB"', "packet_attribute_unknown", "mem", "unit"),
        ('status="true"', 'status="yes"', "packet_value_bad", "item", "status"),
        ('vdcid="9fdc0391-', 'vdcid="9FDC0391-', "packet_value_bad", "item", "vdcid"),
        ("4b9de9ad-", "urn:", "packet_value_bad", "net", "net"),
        ('id="vapp-', 'id="vm-', "packet_value_bad", "vapp", "id"),
        ('name="qwe" status="8" ext_ip', 'name="qwe" status="5" ext_ip', "packet_value_bad", "vm", "status"),
        ('vapp_template="3', 'vapp_template="x', "packet_value_bad", "vm", "vapp_template"),
        ('reserved="10240"', 'reserved="-1"', "packet_value_bad", "disc", "reserved"),
        ('reserved="10240"', 'reserved="1e9"', "packet_value_bad", "disc", "reserved"),
        ('reserved="10240"', f'reserved="{"9" * 5000}"', "packet_value_bad", "disc", "reserved"),
        ('cpu reserved="1"', 'cpu reserved="01"', "packet_value_bad", "cpu", "reserved"),
    ],
    ids=str,
)
def test_a_wrong_attribute_is_named_with_its_line(old: str, new: str, code: str, element: str, attribute: str) -> None:
    error = refusal(STORY.replace("> <", ">\n<").replace(old, new, 1))
    assert (error.code, error.params["element"], error.params["attribute"]) == (code, element, attribute)
    assert error.params["line"] == {"item": 1, "net": 2, "vapp": 3, "vm": 4, "disc": 7, "cpu": 8, "mem": 9}[element]


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))


@pytest.mark.parametrize(
    "text",
    [
        f'<!DOCTYPE item [<!ENTITY a0 "ha">{LAUGHS}]>' + STORY.replace("2560", "&a10;"),
        '<!DOCTYPE item [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + STORY.replace("2560", "&x;"),
        '<!DOCTYPE item SYSTEM "http://127.0.0.1:9/x.dtd">' + STORY,
        STORY.replace("2560", "&unknown;"),
        STORY.replace("2560", "&#0;"),
        STORY[:-1],
        STORY + STORY,
        "<a>" * 300 + "</a>" * 300,
        "",
        " \n",
        "\0",
        "\ud800",
        "null",
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_a_hostile_text_is_refused(text: str) -> None:
    assert refusal(text).code == "packet_not_xml"


@pytest.mark.parametrize(
    "text", ["<a/>" * (packet_reader.TAGS_MOST + 1), " " * (packet_reader.SIZE_MOST_MB * 2**20 + 1)], ids=["tags", "MB"]
)
def test_a_text_beyond_the_limit_is_not_even_parsed(text: str) -> None:
    assert refusal(text).code == "packet_too_large"
