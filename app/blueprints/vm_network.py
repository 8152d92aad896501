"""The form for the network cards of a machine: connected to what, and where each address comes from."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, Form, StringField

from app.accounts.rules import Permission
from app.blueprints import forms, web
from app.blueprints.vms import address, bp
from app.cloud import networks, offers
from app.cloud.models import Vm
from app.cloud.networks import MOST_CARDS, CardWish
from app.cloud.rules import Action

NOT_CONNECTED, AS_IT_IS, NO_CARD = "none", "keep", "no-card"
MODES = (
    ("POOL", _l("from the pool of the network")),
    ("DHCP", _l("by DHCP")),
    ("MANUAL", _l("the one that I write")),
)


class CardForm(Form):
    """One card. `nic`: the card in the mirror, None for one more; `choices`: what it can be connected to."""

    network_id = StringField(_l("Network"))
    mode = StringField(_l("Address"))
    ip = StringField(_l("IP address"))
    is_removed = BooleanField(_l("Remove this card"))

    def __init__(
        self, index: int, nic: Mapping[str, Any] | None, connected_to: str, choices: list[tuple[str, str]]
    ) -> None:
        mode = str(nic["mode"]) if nic and nic["mode"] != "NONE" else "POOL"
        present = {"network_id": connected_to, "mode": mode, "ip": (nic and nic["ip"]) or ""}
        super().__init__(request.form or None, prefix=f"cards-{index}-", data=present)
        self.index, self.nic, self.choices = index, nic, choices
        self.before = self._wish(connected_to, mode, present["ip"])

    def change(self) -> CardWish | None:
        """What is asked of the card; None when it stays as it is."""
        if self.is_removed.data:
            return CardWish(index=self.index, is_removed=True)
        wish = self._wish(self.network_id.data or "", self.mode.data or "", (self.ip.data or "").strip())
        return None if wish == self.before else wish

    def _wish(self, network_id: str, mode: str, ip: str) -> CardWish | None:
        if network_id in (AS_IT_IS, NO_CARD):
            return None
        if network_id == NOT_CONNECTED:
            return CardWish(index=self.index)
        # What no list of ours has offered is answered like a network that has gone meanwhile.
        chosen = uuid.UUID(network_id) if network_id in dict(self.choices) else uuid.UUID(int=0)
        return CardWish(index=self.index, network_id=chosen, mode=mode, ip=ip if mode == "MANUAL" else None)


class NetworkForm(forms.WishForm):
    """All cards of a machine, and one more to add."""

    def __init__(self, vm: Vm, **values: Any) -> None:
        super().__init__(**values)
        own = [(str(network.id), network.name, network.urn) for network in offers.networks(vm.vdc_id)]
        parents = {network["name"]: network["parent_urn"] for network in vm.vapp.networks}
        ids = {urn: network_id for network_id, _, urn in own}
        choices = [(network_id, name) for network_id, name, _ in own]
        off = (NOT_CONNECTED, gettext("Not connected"))
        self.cards: list[CardForm] = []
        for nic in vm.nics:
            connected_to = (
                ids.get(parents.get(nic["network"]) or "", AS_IT_IS) if nic["is_connected"] else NOT_CONNECTED
            )
            as_it_is = [(AS_IT_IS, gettext("%(network)s, as it is", network=nic["network"]))]
            mine = [*(as_it_is if connected_to == AS_IT_IS else []), *choices, off]
            self.cards.append(CardForm(nic["index"], nic, connected_to, mine))
        free = next((index for index in range(MOST_CARDS) if index not in [nic["index"] for nic in vm.nics]), None)
        if free is not None:
            more = [(NO_CARD, gettext("No further card")), *choices, off]
            self.cards.append(CardForm(free, None, NO_CARD, more))

    def fields(self) -> Iterator[Field]:
        """Those of the cards."""
        return (field for card in self.cards for field in card)

    def changes(self) -> list[CardWish]:
        """The cards that shall be otherwise."""
        return [change for change in (card.change() for card in self.cards) if change is not None]


@bp.get(address(Action.CHANGE_NETWORK))
@web.requires(Permission.VM_CHANGE)
def ask_change_network(vm_id: uuid.UUID) -> web.Answer:
    """The form with the cards as they are."""
    vm = web.get_vm(vm_id)
    return _page(vm, NetworkForm(vm))


@bp.post(address(Action.CHANGE_NETWORK))
@web.requires(Permission.VM_CHANGE)
def change_network(vm_id: uuid.UUID) -> web.Answer:
    """Ask for what differs."""
    actor, form = web.actor(), NetworkForm(web.get_vm(vm_id))
    wishes = form.changes()
    return forms.send(
        vm_id,
        form,
        lambda: networks.request_change(actor, vm_id, web.given_token(), wishes),
        lambda vm: _page(vm, form),
    )


def _page(vm: Vm, form: NetworkForm) -> str:
    return forms.show(vm, Action.CHANGE_NETWORK, form, modes=MODES)
