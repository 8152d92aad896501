"""Why a console does not open or has closed: what happened, what it means, what the button says."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from app.cloud.console_rules import ConsoleBlock

_TRY = _l("Try again")
_OPEN = _l("Open again")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """`title` may name the server as %(name)s. `again_s`: the page asks by itself after so many seconds."""

    title: LazyString
    text: LazyString
    button: LazyString | None = None
    again_s: int | None = None


_REFUSED = Explanation(
    title=_l("vCloud gave no screen"),
    text=_l("Most often the server is just going off. Look at its page, or try again."),
    button=_TRY,
)
BLOCKS: Mapping[ConsoleBlock, Explanation] = {
    ConsoleBlock.OFF: Explanation(
        title=_l("%(name)s is off"),
        text=_l("A server has a screen only while it is on."),
        button=_l("Start and open"),
    ),
    ConsoleBlock.SUSPENDED: Explanation(
        title=_l("%(name)s is suspended"),
        text=_l("It has a screen again when it goes on from where it stopped."),
        button=_l("Resume and open"),
    ),
    ConsoleBlock.STARTING: Explanation(
        title=_l("%(name)s is starting"), text=_l("Its screen opens by itself as soon as it is on."), again_s=2
    ),
    ConsoleBlock.STOPPING: Explanation(
        title=_l("%(name)s is going off"), text=_l("A server has a screen only while it is on."), again_s=3
    ),
    ConsoleBlock.NOT_READY: Explanation(
        title=_l("%(name)s has no screen yet"),
        text=_l("vCloud is still building it, or does not know its state. The screen opens by itself when it is on."),
        again_s=5,
    ),
    ConsoleBlock.GONE: Explanation(
        title=_l("%(name)s is deleted"),
        text=_l("What is deleted has no screen. Restore it first, if it is in the bin."),
    ),
    ConsoleBlock.TOO_MANY: Explanation(
        title=_l("Opened too often"), text=_l("Wait a minute before the next screen."), button=_OPEN
    ),
    ConsoleBlock.GATEWAY_DOWN: Explanation(
        title=_l("The console does not answer"),
        text=_l("The part of the panel that shows screens is away. The server itself goes on."),
        button=_TRY,
        again_s=10,
    ),
    ConsoleBlock.VCLOUD_AWAY: Explanation(
        title=_l("vCloud does not answer"),
        text=_l("It alone can open a screen. The server itself goes on."),
        button=_TRY,
        again_s=10,
    ),
    ConsoleBlock.VCLOUD_BUSY: Explanation(
        title=_l("vCloud is busy with %(name)s"),
        text=_l("It finishes something else with it first. The screen opens by itself after that."),
        button=_TRY,
        again_s=5,
    ),
    ConsoleBlock.REFUSED: _REFUSED,
    ConsoleBlock.HOST_UNKNOWN: Explanation(
        title=_l("The screen is somewhere unknown"),
        text=_l("vCloud named an address for it that the provider has not allowed here. Tell support."),
        button=_TRY,
    ),
}

SDK_MISSING = Explanation(
    title=_l("The console is not installed"),
    text=_l("The program that draws screens is missing on the panel. Tell support; the server itself goes on."),
    button=_TRY,
)
CLOSED_BY_CELL = Explanation(
    title=_l("The screen was closed"),
    text=_l("vCloud ended the connection, as it does when a server goes off."),
    button=_OPEN,
    again_s=4,
)
"""Where the gateway says no more; soon the panel has read whether the server is off."""
_LOST = Explanation(
    title=_l("The connection was lost"),
    text=_l("It did not come back after several tries. The server itself goes on."),
    button=_TRY,
)
_AWAY = Explanation(
    title=_l("vCloud's console does not answer"),
    text=_l("The server itself goes on. Try again in a minute."),
    button=_TRY,
)
CLOSED: Mapping[int, Explanation] = {
    1006: _LOST,
    1011: Explanation(
        title=_l("Something went wrong on our side"),
        text=_l("We have noted it. The server itself goes on."),
        button=_TRY,
    ),
    4404: Explanation(
        title=_l("This opening is used up"), text=_l("Each is good once, for half a minute."), button=_OPEN
    ),
    4408: Explanation(
        title=_l("The screen was closed"),
        text=_l("Nothing moved on it and nobody typed for a long time. The server itself goes on."),
        button=_OPEN,
    ),
    4429: Explanation(
        title=_l("Too many screens are open"),
        text=_l("Your account has as many open as it may. Close the window of another one first."),
        button=_OPEN,
    ),
    4440: Explanation(
        title=_l("The screen was closed"),
        text=_l("It was open for as long as one may be. The server itself goes on."),
        button=_OPEN,
    ),
    4502: _AWAY,
    4503: _REFUSED,
    4504: _LOST,
    4526: Explanation(
        title=_l("The console cannot be trusted"),
        text=_l("The certificate of vCloud's console is not one that the panel knows. Tell support."),
        button=_TRY,
    ),
}
"""By the code with which the gateway closed the socket (`app.console_gateway`), 1006 where nobody said one."""
