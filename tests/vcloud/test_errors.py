"""Every failure is one of five classes, decided by vCloud's words before its status; and `sent` when in doubt."""

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from app.vcloud import (
    Busy,
    Client,
    GuestCustomization,
    NotFound,
    Refused,
    Session,
    SessionExpired,
    Unavailable,
    VcloudError,
    VmChange,
)
from tests.vcloud.support import API, REQUEST_ID, TASK, VM, Vcd, error_body, fixture

PATH = "/vApp/vm-11111111-0000-4000-8000-000000000001"
ON = f"{PATH}/power/action/powerOn"
BUSY_WORDS = (
    "The entity Ref: com.vmware.vcloud.entity.vm:11111111-0000-4000-8000-000000000001 is busy completing an operation"
    " VAPP_UPDATE_VM. VAPP_UPDATE_VM(com.vmware.vcloud.entity.task:22222222-0000-4000-8000-0000000000EE)"
)
HTML = "<html><body>502 Bad Gateway</body></html>"


def failure(client: Client, *, command: bool) -> VcloudError:
    call = client.power_on if command else client.vm
    with pytest.raises(VcloudError) as caught:
        call(VM)
    return caught.value


@pytest.mark.parametrize("command", [False, True])
@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "BUSY_ENTITY", "busy", Busy),
        (400, "BAD_REQUEST", BUSY_WORDS, Busy),
        (409, "CONFLICT", BUSY_WORDS, Busy),
        (400, "OPERATION_LIMITS_EXCEEDED", "too many", Busy),
        (400, "BAD_REQUEST", "Stop the vApp and try again.", Refused),
        (400, "DUPLICATE_NAME", "The VCD entity shop already exists.", Refused),
        (500, "DUPLICATE_NAME", "The VCD entity shop already exists.", Refused),
        (403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "No access to entity", NotFound),
        (403, "FORBIDDEN", "You may not", Refused),
        (404, "RESOURCE_NOT_FOUND", "gone", NotFound),
        (400, "RESOURCE_NOT_FOUND", "gone", NotFound),
        (405, "METHOD_NOT_ALLOWED", "no", Refused),
        (429, "TOO_MANY_REQUESTS", "slower", Unavailable),
        (500, "INTERNAL_SERVER_ERROR", "Unable to perform this action.", Unavailable),
        (503, "SERVICE_UNAVAILABLE", "maintenance", Unavailable),
    ],
)
def test_vclouds_own_words_decide(
    vcd: Vcd, status: int, code: str, message: str, kind: type[VcloudError], *, command: bool
) -> None:
    vcd.answer("POST" if command else "GET", ON if command else PATH, error_body(code, message, status), status=status)
    error = failure(vcd.client(), command=command)
    assert type(error) is kind
    assert (error.minor_code, error.message, error.request_id) == (code, message, REQUEST_ID)
    assert error.sent == (command and kind is Unavailable and status != 429)


@pytest.mark.parametrize("command", [False, True])
@pytest.mark.parametrize(
    ("status", "body", "kind", "sent"),
    [
        (200, "", Unavailable, True),
        (200, "  \n", Unavailable, True),
        (200, HTML, Unavailable, True),
        (200, "<html", Unavailable, True),
        (200, '{"ok": true}', Unavailable, True),
        (200, fixture("vdc-32"), Unavailable, True),
        (200, fixture("vm-5.5")[:4000], Unavailable, True),
        (302, "", Unavailable, True),
        (400, HTML, Unavailable, True),
        (403, HTML, Unavailable, True),
        (404, HTML, Unavailable, True),
        (404, "", NotFound, False),
        (400, "", Refused, False),
        (429, "", Unavailable, False),
        (429, HTML, Unavailable, False),
        (500, "", Unavailable, True),
        (502, HTML, Unavailable, True),
        (503, "", Unavailable, True),
    ],
)
def test_what_does_not_come_from_vcloud_is_no_answer(
    vcd: Vcd, status: int, body: str, kind: type[VcloudError], *, sent: bool, command: bool
) -> None:
    vcd.answer("POST" if command else "GET", ON if command else PATH, body, status=status)
    error = failure(vcd.client(), command=command)
    assert type(error) is kind
    assert error.sent == (command and sent)


REFUSED = requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "refused")))  # type: ignore[arg-type]
RESET = requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")))


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (REFUSED, False),
        (requests.ConnectTimeout("no connection"), False),
        (requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] expired"), False),
        (requests.exceptions.SSLError("EOF occurred in violation of protocol"), True),
        (requests.ReadTimeout("no answer"), True),
        (RESET, True),
        (requests.exceptions.ChunkedEncodingError("cut"), True),
    ],
)
def test_a_command_counts_as_sent_unless_it_is_certain_that_it_never_left(
    vcd: Vcd, error: Exception, *, sent: bool
) -> None:
    vcd.answer("POST", ON, error)
    vcd.answer("GET", PATH, error)
    client = vcd.client()
    found = failure(client, command=True)
    assert (type(found), found.sent) == (Unavailable, sent)
    assert not failure(client, command=False).sent


@pytest.mark.parametrize("error", [RESET, requests.ReadTimeout("no answer")])
def test_a_command_was_not_sent_if_the_login_before_it_failed(vcd: Vcd, error: Exception) -> None:
    vcd.mock.upsert("POST", f"{API}/sessions", body=error)
    assert not failure(vcd.client(), command=True).sent
    assert vcd.calls == []


def test_a_listing_without_rights_is_refused_and_not_missing(vcd: Vcd) -> None:
    vcd.answer("GET", "/query", error_body("ACCESS_TO_RESOURCE_IS_FORBIDDEN", "no right", 403), status=403)
    with pytest.raises(Refused):
        vcd.client().vms("urn:vcloud:vdc:22222222-0000-4000-8000-0000000000dc")


def test_busy_names_the_task_that_is_in_the_way(vcd: Vcd) -> None:
    vcd.answer("POST", ON, error_body("BUSY_ENTITY", BUSY_WORDS), status=400)
    error = failure(vcd.client(), command=True)
    assert isinstance(error, Busy)
    assert error.task_id == TASK
    assert Busy("too many operations").task_id is None


def test_the_request_id_is_found_in_the_message_when_the_header_has_none(vcd: Vcd) -> None:
    found = VcloudError("[ 24e9f319-05bd-474e-bd1d-2b8bb3ea9c98 ] Unable to perform this action.", minor_code="X")
    assert found.request_id == "24e9f319-05bd-474e-bd1d-2b8bb3ea9c98"
    assert str(found).endswith("action. (X, request 24e9f319-05bd-474e-bd1d-2b8bb3ea9c98)")


def test_a_message_is_one_line_in_logs_whatever_vcloud_says() -> None:
    assert str(VcloudError("no\r\nINFO all is well\x1b[2J\u2028end")) == "no INFO all is well [2J end"


def test_a_request_id_that_could_forge_a_log_line_is_dropped(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, error_body("X", "no"), status=400, headers={"X-VMWARE-VCLOUD-REQUEST-ID": "1 INFO fine"})
    assert failure(vcd.client(), command=False).request_id is None


def test_reading_is_tried_three_times_with_pauses(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, HTML, status=502)
    vcd.answer("GET", PATH, "", status=503, headers={"Retry-After": "3"})
    vcd.answer("GET", PATH, fixture("vm-5.5"))
    assert vcd.client().vm(VM).name == "web1"
    assert vcd.slept_s == [0.5, 3.0]


def test_reading_gives_up_after_the_third_attempt(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, HTML, status=502)
    failure(vcd.client(), command=False)
    assert len(vcd.calls) == 3


def test_a_server_that_asks_for_minutes_gets_five_seconds(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, "", status=503, headers={"Retry-After": "600"})
    failure(vcd.client(), command=False)
    assert vcd.slept_s == [5.0]  # the second pause would end after the ten seconds in which we try


def test_reading_is_not_tried_again_once_ten_seconds_are_over(vcd: Vcd) -> None:
    client = vcd.client()
    vcd.mock.add_callback("GET", API + PATH, lambda _: slow(vcd, 9.6, 502))
    failure(client, command=False)
    assert len(vcd.calls) == 1


def slow(vcd: Vcd, seconds: float, status: int) -> tuple[int, dict[str, str], str]:
    vcd.now_s += seconds
    return status, {}, HTML


def test_a_method_ends_after_45_seconds_whatever_happens(vcd: Vcd) -> None:
    vcd.mock.add_callback("GET", API + PATH, lambda _: slow(vcd, 45.0, 401))
    with pytest.raises(Unavailable, match="no time left"):
        vcd.client(session=Session("old", "vcloud", "5.5")).vm(VM)


def test_the_two_requests_of_a_reconfiguration_share_45_seconds(vcd: Vcd) -> None:
    def slow_vm(_: object) -> tuple[int, dict[str, str], str]:
        vcd.now_s += 45.0
        return 200, {}, fixture("vm-5.5")

    vcd.mock.add_callback("GET", API + PATH, slow_vm)
    with pytest.raises(Unavailable, match="no time left") as caught:
        vcd.client().reconfigure(VM, VmChange(cpu_count=2))
    assert not caught.value.sent


def test_vclouds_own_internal_error_is_not_tried_again(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, error_body("INTERNAL_SERVER_ERROR", "ask your provider", 500), status=500)
    failure(vcd.client(), command=False)
    assert len(vcd.calls) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_command_is_never_repeated(vcd: Vcd, status: int) -> None:
    vcd.answer("POST", ON, "", status=status)
    failure(vcd.client(), command=True)
    assert (len(vcd.calls), vcd.slept_s) == (1, [])


def test_a_login_that_meets_a_short_outage_is_tried_again(vcd: Vcd) -> None:
    vcd.mock.upsert("GET", "https://vcd.example/api/versions", status=503)
    vcd.answer("GET", "/versions", fixture("versions-5.5"))
    vcd.answer("GET", PATH, fixture("vm-5.5"))
    assert vcd.client().vm(VM).name == "web1"


def test_a_refusal_does_not_quote_the_password_it_was_sent(vcd: Vcd) -> None:
    vcd.answer("GET", PATH, fixture("vm-5.5"))
    vcd.answer(
        "POST", f"{PATH}/action/reconfigureVm", error_body("BAD_REQUEST", "Value 'Guest-pw-1' is bad"), status=400
    )
    with pytest.raises(Refused) as caught:
        vcd.client().reconfigure(VM, VmChange(customization=GuestCustomization(password="Guest-pw-1")))
    assert "Guest-pw-1" not in f"{caught.value} {caught.value!r} {caught.value.message}"


def test_all_failures_have_one_root() -> None:
    for kind in (Unavailable, Busy, Refused, NotFound, SessionExpired):
        assert issubclass(kind, VcloudError)
