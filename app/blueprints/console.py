"""The window with the screen of a server. Its script opens it by POST, which asks vCloud; all else is explained."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for

from app.accounts.rules import Permission
from app.blueprints import machines, web
from app.blueprints.machines import Row
from app.cloud import console, sync_runs, wishes
from app.cloud.console import ConsoleAccess
from app.cloud.console_rules import ConsoleBlock
from app.cloud.models import Vm
from app.cloud.rules import Action, VmState
from app.errors import AppError
from app.texts.console import BLOCKS, CLOSED, CLOSED_BY_CELL, SDK_MISSING, Explanation

bp = Blueprint("console", __name__)

CHORDS = (
    ("Control Alt F1", "Ctrl + Alt + F1"),
    ("Control Alt F2", "Ctrl + Alt + F2"),
    ("Control Alt F7", "Ctrl + Alt + F7"),
    ("Control Alt Backspace", "Ctrl + Alt + Backspace"),
    ("Alt Tab", "Alt + Tab"),
    ("Alt F4", "Alt + F4"),
    ("Control Escape", "Ctrl + Esc"),
    ("Meta", "Windows"),
    ("Meta r", "Windows + R"),
    ("PrintScreen", "Print Screen"),
    ("Escape", "Esc"),
    ("Tab", "Tab"),
    ("Enter", "Enter"),
    ("ArrowUp", "↑"),
    ("ArrowDown", "↓"),
)
"""What a browser or the system of the person would keep for itself, and what a phone has no keys for."""
_STARTS = {ConsoleBlock.OFF, ConsoleBlock.SUSPENDED}

# The only style that WMKS writes into HTML: of a panel for phones that stays hidden. By its sum, nothing else may.
_WMKS_STYLE = "style-src-attr 'unsafe-hashes' 'sha256-Q9Jae/EB1GlOecKZDfxgC0W/9gjjuY1xmZDsuIE2dLI='"


_OWN_WMKS = ("wmks/jquery.min.js", "wmks/jquery-ui.min.js", "wmks/wmks.min.js")
"""What an operator may put there, in the order of loading; VMware's file needs the other two."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Why there is no screen. `starts`: the button switches the server on; `again_s`: the page asks again by itself.

    `closed` is the code with which a screen ended: then the page asks for what became of it, and for no screen.
    """

    title: str
    text: str
    button: str
    starts: bool
    again_s: int | None
    closed: int | None
    id: str


@dataclass(frozen=True, kw_only=True)
class Client:
    """What draws the screen: a module of `static/js/console/` and the files that it loads, in their order."""

    module: str
    files: Sequence[str]

    @property
    def name(self) -> str:
        """What staff call it."""
        if self.module == "novnc":
            return "noVNC"
        return "WMKS (VMware)" if self.files[-1].partition("?")[0].endswith("wmks.min.js") else "WMKS (npm)"


@dataclass(frozen=True, kw_only=True)
class ConsolePage:
    """The values of `console/show.html`; with neither a screen nor a notice, the script asks for one."""

    vm: Vm
    row: Row
    client: Client | None
    screen: ConsoleAccess | None = None
    notice: Notice | None = None
    chords: Sequence[tuple[str, str]] = CHORDS


@bp.get("/vms/<uuid:vm_id>/console")
@web.requires(Permission.VM_CHANGE)
def show(vm_id: uuid.UUID) -> web.Answer:
    """The window; it changes nothing and asks nobody, until its script sends the form."""
    return _page(web.get_vm(vm_id))


@bp.post("/vms/<uuid:vm_id>/console")
@web.requires(Permission.VM_CHANGE)
def open(vm_id: uuid.UUID) -> web.Answer:  # noqa: A001 -- the endpoint is `console.open`
    """A screen, or why there is none. `start` switches the server on first, `closed` tells how a screen ended."""
    vm = web.get_vm(vm_id)
    if client() is None:
        return _page(vm, notice=_notice(vm, SDK_MISSING))
    try:
        if token := request.form.get("start", ""):
            _switch_on(vm, token)
        if closed := request.form.get("closed", type=int):
            return _closed(vm, closed)
        access = console.grant(web.actor(), web.me().session_id, vm_id, _way())
    except AppError as error:
        if error.code != "console_blocked":
            raise
        return _blocked(web.get_vm(vm_id), ConsoleBlock(str(error.params["reason"])))
    return _page(web.get_vm(vm_id), screen=access)


def _page(vm: Vm, *, screen: ConsoleAccess | None = None, notice: Notice | None = None) -> Response:
    page = ConsolePage(vm=vm, row=machines.row(vm), client=client(), screen=screen, notice=notice)
    response = make_response(render_template("console/show.html", page=page))
    sockets = " ".join(("'self'", *console.sockets(vm.id, _way())))
    policy = web.CONTENT_SECURITY_POLICY.replace("connect-src 'self'", f"connect-src {sockets}")
    response.headers["Content-Security-Policy"] = f"{policy}; {_WMKS_STYLE}"
    return response


def _way() -> console.Gateway:
    """The gateway as browsers reach it: beside the panel, behind the same nginx."""
    config = web.config()
    return console.Gateway(
        scheme="wss" if config.secure else "ws", host=config.console_host(request.host), port=config.console_port
    )


def client() -> Client | None:
    """What draws the screen; None where its files are missing."""
    static = Path(current_app.static_folder or "")
    if web.config().console_client == "novnc":
        module, files = "novnc", ["vendor/novnc/core/rfb.js"]
    elif (static / _OWN_WMKS[-1]).is_file():
        module, files = "wmks", [file for file in _OWN_WMKS if (static / file).is_file()]
    else:
        module, files = "wmks", ["wmks/wmks.js"]
    is_there = all((static / file).is_file() for file in files)
    return Client(module=module, files=[url_for("static", filename=file) for file in files]) if is_there else None


def _switch_on(vm: Vm, token: str) -> None:
    """What is on already, or on its way, needs nothing; the page says so."""
    action = Action.RESUME if vm.state is VmState.SUSPENDED else Action.START
    try:
        wishes.ask(web.actor(), vm.id, action, web.given_token(token))
    except AppError as error:
        if error.code not in ("action_blocked", "vm_busy"):
            raise


def _blocked(vm: Vm, block: ConsoleBlock) -> Response:
    return _page(vm, notice=_notice(vm, BLOCKS[block], starts=block in _STARTS))


def _closed(vm: Vm, code: int) -> Response:
    """What is in the way now says more than how the screen ended; the guest may just have switched itself off."""
    sync_runs.ask(vm.vdc.service_id, "screen")
    if block := console.preflight(web.actor(), vm.id, _way()):
        return _blocked(vm, block)
    return _page(vm, notice=_notice(vm, CLOSED.get(code, CLOSED_BY_CELL), closed=code))


def _notice(vm: Vm, why: Explanation, *, starts: bool = False, closed: int | None = None) -> Notice:
    return Notice(
        title=str(why.title) % {"name": vm.shown_name},
        text=str(why.text),
        button=str(why.button or ""),
        starts=starts,
        again_s=why.again_s,
        closed=closed,
        id=web.request_id(),
    )
