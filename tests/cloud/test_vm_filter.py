"""The filter language: text to conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cloud.vm_filter import (
    FIELDS,
    MOST_NUMBER,
    MOST_PARTS,
    NUMBERS,
    STATES,
    Condition,
    Flag,
    Number,
    Problem,
    State,
    Text,
    VmFilter,
    Word,
    parse,
)


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", []),
        ("  web  ", [Word("web")]),
        ("status:running vapp:web 10.0.", [State(("on",)), Text("vapp", ("web",)), Word("10.0.")]),
        ("Status:On,OFF,on", [State(("on", "off"))]),
        ("статус:включён", [State(("on",))]),
        ("состояние:корзина", [State(("deleted",))]),
        ("status:recycled", [State(("deleted",))]),
        ('vapp:"my shop"', [Text("vapp", ("my shop",))]),
        ('vapp:"a, b",c', [Text("vapp", ("a, b", "c"))]),
        ('"status:on"', [Word("status:on")]),
        ('say"" "a ""b"""', [Word("say"), Word('a "b"')]),
        ('"open end', [Word("open end")]),
        ("network:dmz сеть:dmz", [Text("net", ("dmz",)), Text("net", ("dmz",))]),
        ("fe80::1 00:50:56:01:02:03 abc::1", [Word("fe80::1"), Word("00:50:56:01:02:03"), Word("abc::1")]),
        ("cpu:>4 cpu:4 cpu:<=2", [Number("cpu", ">", 4), Number("cpu", "=", 4), Number("cpu", "<=", 2)]),
        ("ram:>=8gb память:8гб", [Number("ram", ">=", 8192), Number("ram", "=", 8192)]),
        ("ram:512mb disk:≥1tb", [Number("ram", "=", 512), Number("disk", ">=", 1024**2)]),
        ("disk:1,5 disk:1.5G", [Number("disk", "=", 1536), Number("disk", "=", 1536)]),
        ("snapshot:yes снимок:нет", [Flag("snapshot", wanted=True), Flag("snapshot", wanted=False)]),
    ],
)
def test_a_text_is_read(text: str, conditions: list[Condition]) -> None:
    assert parse(text) == VmFilter(conditions=tuple(conditions))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colour:red", Problem("field", "colour", "red")),
        ("status:on,odd", Problem("state", "status", "odd")),
        ("cpu:many", Problem("number", "cpu", "many")),
        ("cpu:2gb", Problem("number", "cpu", "2gb")),
        ("cpu:1.5", Problem("number", "cpu", "1.5")),
        ("ram:8kb", Problem("number", "ram", "8kb")),
        ("ram:9999999tb", Problem("number", "ram", "9999999tb")),
        ("snapshot:maybe", Problem("flag", "snapshot", "maybe")),
        ("vapp:", Problem("empty", "vapp", "")),
        ('vapp:"",', Problem("empty", "vapp", "")),
    ],
)
def test_what_says_nothing_is_a_problem_and_the_rest_still_works(text: str, problem: Problem) -> None:
    assert parse(f"web {text} os:linux") == VmFilter((Word("web"), Text("os", ("linux",))), (problem,))


def test_too_many_parts_are_a_problem() -> None:
    found = parse("a " * (MOST_PARTS + 2))
    assert len(found.conditions) == MOST_PARTS
    assert found.problems == (Problem("many", "", "a"),)


def test_the_states_asked_for_are_known() -> None:
    assert parse("status:on,deleted x").states == {"on", "deleted"}


texts = st.text(min_size=1).map(str.strip).filter(bool)
several = st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple)
states = st.lists(st.sampled_from(list(STATES)), min_size=1, max_size=3, unique=True).map(tuple)
text_fields = st.sampled_from([field for field in FIELDS if field not in (*NUMBERS, "status", "snapshot")])
signs = st.sampled_from(["=", "<", ">", "<=", ">="])
conditions = st.one_of(
    texts.map(Word),
    st.builds(Text, text_fields, several),
    states.map(State),
    st.builds(Number, st.sampled_from(NUMBERS), signs, st.integers(0, 10**9)),
    st.builds(Flag, st.just("snapshot"), st.booleans()),
)
filters = st.builds(VmFilter, st.lists(conditions, max_size=MOST_PARTS).map(tuple))


@given(st.text() | st.text("status:vapp cpurmd,\"><=0123456789gb'"))
def test_no_text_is_an_error_and_what_was_understood_can_be_read_again(text: str) -> None:
    found = parse(text)
    assert parse(str(found)) == VmFilter(found.conditions)
    for part in found.conditions:
        assert not isinstance(part, Number) or 0 <= part.value <= MOST_NUMBER


@given(filters)
def test_conditions_survive_being_written_and_read(wanted: VmFilter) -> None:
    assert parse(str(wanted)) == wanted
