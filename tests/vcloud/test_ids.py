"""Identity: an address in an answer is reduced to the id it names, or to nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vcloud.ids import path_of, split_urn, template_vm_path, urn_from_href, urn_from_text, urn_named

UUID = "0af3c2d1-1234-4abc-8def-0123456789ab"


@pytest.mark.parametrize(
    ("path", "urn"),
    [
        ("/api/vApp/vm-", "vm"),
        ("/api/vApp/vapp-", "vapp"),
        ("/api/vAppTemplate/vappTemplate-", "vapptemplate"),
        ("/api/vAppTemplate/vm-", "vm"),
        ("/api/vdc/", "vdc"),
        ("/api/admin/vdc/", "vdc"),
        ("/api/network/", "network"),
        ("/api/admin/network/", "network"),
        ("/api/task/", "task"),
        ("/api/vdcStorageProfile/", "vdcstorageprofile"),
    ],
)
def test_a_href_gives_its_urn_whatever_host_it_names(path: str, urn: str) -> None:
    for host in ("https://vcd.example", "http://10.0.0.1:8443", "https://evil.example/prefix", ""):
        assert urn_from_href(f"{host}{path}{UUID.upper()}") == f"urn:vcloud:{urn}:{UUID}"


@pytest.mark.parametrize(
    "href",
    [
        "",
        "https://vcd.example",
        "https://vcd.example/api/vApp/vm-",
        f"https://vcd.example/api/vApp/vm-{UUID}/../../admin",
        f"https://vcd.example/api/vApp/../vApp/vm-{UUID}",
        f"https://vcd.example/api/vApp/vm-{UUID}/action/undeploy",
        f"https://vcd.example/api/unknown/{UUID}",
        f"https://vcd.example/api/vApp/vm-{UUID}\n",
        f"https://vcd.example/api/vApp/vm-{UUID}?x=1",
        f"https://vcd.example#/api/vApp/vm-{UUID}",
        f"https://vcd.example/api/vApp/vm-{UUID}%2f..",
        f"javascript:alert('{UUID}')",
        "https://vcd.example/api/task/-1",
        "https://vcd.example/api/task/..",
        "https://vcd.example/api/task/a.b",
        "https://vcd.example/api/task/a%2e",
        "https://vcd.example/api/task/a b",
        "https://vcd.example/api/task/задача",
        "https://vcd.example/api/task/\u0663",
        f"https://vcd.example/api/task/{'a' * 41}",
        "https://vcd.example/api/v1.5/v1.5/task/1",
    ],
)
def test_a_href_of_any_other_form_names_nothing(href: str) -> None:
    assert urn_from_href(href) is None


@pytest.mark.parametrize(
    ("path", "urn"),
    [
        ("/api/vApp/vapp-7", "vapp:7"),  # so the manuals number their examples
        ("/api/vApp/vm-7/", "vm:7"),
        ("/api/v1.5/vdc/44", "vdc:44"),
        ("/api/network/44444444-4444-4444-4444-4444444444444", "network:44444444-4444-4444-4444-4444444444444"),
        ("/api/vAppTemplate/vappTemplate-template-uuid-goes-here", "vapptemplate:template-uuid-goes-here"),
        ("/api/admin/org/aaa-BBB-ccc", "org:aaa-bbb-ccc"),
    ],
)
def test_an_answer_made_anonymous_still_tells_which_thing_is_which(path: str, urn: str) -> None:
    assert urn_from_href(f"https://vcd.example{path}") == f"urn:vcloud:{urn}"
    assert urn_from_text(f"urn:vcloud:{urn}") == f"urn:vcloud:{urn}"
    assert split_urn(f"urn:vcloud:{urn}") == tuple(urn.split(":"))


@pytest.mark.parametrize("pointer", [f"https://vcd.example/api/task/{UUID}", f"urn:vcloud:task:{UUID}"])
def test_a_row_points_with_a_href_or_with_a_urn(pointer: str) -> None:
    assert urn_named(pointer) == f"urn:vcloud:task:{UUID}"
    assert urn_named("") is None
    assert urn_named(pointer + "/..") is None


@given(st.text())
def test_no_href_whatsoever_makes_us_stumble(href: str) -> None:
    assert urn_from_href(href) is None
    assert urn_from_text(href) is None


@given(st.text(alphabet="./:@%#?\\vApm-0aU", max_size=60), st.text(alphabet="./:@%#?\\vApm-0aU", max_size=60))
def test_what_is_found_in_a_hostile_href_is_always_a_clean_urn(before: str, after: str) -> None:
    found = urn_from_href(f"{before}/api/vApp/vm-{UUID}{after}")
    assert found is None or re.fullmatch(r"urn:vcloud:vm:[0-9a-z][0-9a-z-]{35,39}", found)


def test_a_path_is_built_only_from_a_urn_of_the_right_kind() -> None:
    assert path_of(f"urn:vcloud:vm:{UUID}", "vm", "vapp") == f"/vApp/vm-{UUID}"
    assert path_of(f"urn:vcloud:vapptemplate:{UUID}", "vapptemplate") == f"/vAppTemplate/vappTemplate-{UUID}"
    assert template_vm_path(f"urn:vcloud:vm:{UUID}") == f"/vAppTemplate/vm-{UUID}"
    for wrong in (f"urn:vcloud:vdc:{UUID}", UUID, "urn:vcloud:vm:../../admin", ""):
        with pytest.raises(ValueError, match="urn"):
            path_of(wrong, "vm")
    with pytest.raises(ValueError, match="urn of vm"):
        template_vm_path(f"urn:vcloud:vapp:{UUID}")


def test_a_urn_is_compared_in_lower_case() -> None:
    assert urn_from_text(f"urn:vcloud:vdcstorageProfile:{UUID.upper()}") == f"urn:vcloud:vdcstorageprofile:{UUID}"
