"""A customer with any number of machines and a past, written straight into the database, for bench.pages."""

import random
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select

from app import clock
from app.accounts import sign_in
from app.accounts.models import Account, Membership, User
from app.accounts.rules import Role, StaffRole
from app.accounts.sign_in import SessionLimits
from app.cloud.drift_models import Drift
from app.cloud.drift_rules import DriftState
from app.cloud.models import Handler, Network, Service, VApp, VappTemplate, Vdc, Vm, VmGuard, card_lines
from app.cloud.operation_models import Operation, OperationEvent
from app.cloud.sync_models import NetworkAddress, SyncRun, VmEvent
from app.db import db, transaction

PASSWORD = "correct horse battery staple"  # noqa: S105  of nobody
ROLES = ("web", "db", "mail", "shop", "crm", "build", "cache", "proxy")
SYSTEMS = (
    "Ubuntu Linux (64-bit)",
    "Debian GNU/Linux 12 (64-bit)",
    "Microsoft Windows Server 2022 (64-bit)",
    "CentOS 7",
)
STATES = ((4, True),) * 14 + ((8, False),) * 4 + ((3, True), (8, True))
"""Status and deployed: of 20 machines 14 on, 4 off, one suspended, one partly off."""
OPERATIONS, ACTIVE, DRIFTS, EVENTS = 3_000, 3, 40, 100_000


@dataclass(kw_only=True)
class Customer:
    """Who looks, and the ids of one thing of each kind, by the name that addresses give them."""

    user: str
    staff: str
    account_id: uuid.UUID
    vdc_id: uuid.UUID
    user_id: uuid.UUID
    ids: dict[str, Any]

    def cookies(self, app: Flask, *, staff: bool = False) -> dict[str, str]:
        """Sign in as a browser would and give its cookies."""
        email = self.staff if staff else self.user
        client = app.test_client()
        with app.test_request_context():
            limits = SessionLimits(idle_min=60, max_h=8)
            token = sign_in.sign_in(email, PASSWORD, address="127.0.0.1", user_agent="bench", limits=limits)
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = token, True
        cookie = client.get_cookie("skiff")
        assert cookie is not None
        return {"skiff": cookie.value}


def make_customer() -> Customer:
    """People, an account, a data center with 20 templates and a network, and staff."""
    now, password = clock.now(), sign_in.hash_password(PASSWORD)
    with transaction():
        account = Account(name="Acme", timezone="Europe/Moscow", created_at=now)
        people = [
            User(email=f"{name}@acme.example", name="Anna Berg", password_hash=password, locale="en", created_at=now)
            for name in ("owner", "support")
        ]
        people[1].staff_role = StaffRole.SUPPORT
        handler = Handler(name="Moscow", module="vmware_vcd", api_url="https://vcd.example/api", verify_tls=True)
        handler.answered_at = now
        db.session.add_all([account, *people, handler])
        db.session.flush()
        db.session.add(Membership(user_id=people[0].id, account_id=account.id, role=Role.OWNER, created_at=now))
        service = Service(
            account_id=account.id, handler_id=handler.id, org_name="acme", vdc_urn="vdc", username="x", created_at=now
        )
        vdc = Vdc(service=service, urn="urn:vcloud:vdc:1", name="Moscow-1", is_enabled=True)
        db.session.add_all([service, vdc])
        db.session.flush()
        db.session.add_all(_templates(vdc.id))
        network = Network(vdc_id=vdc.id, urn="net", name="dmz", seen_at=now, fence_mode="natRouted")
        db.session.add_all([network, _reading(service.id)])
        return Customer(
            user=people[0].email,
            staff=people[1].email,
            user_id=people[0].id,
            account_id=account.id,
            vdc_id=vdc.id,
            ids={"network_id": network.id},
        )


def _reading(service_id: uuid.UUID) -> SyncRun:
    now = clock.now()
    return SyncRun(
        service_id=service_id,
        state="done",
        why="schedule",
        asked_at=now,
        started_at=now,
        listed_at=now,
        finished_at=now,
        claim_no=1,
        vapps_done=0,
        vapps_total=0,
        counts={},
        error_params={},
    )


def _templates(vdc_id: uuid.UUID) -> list[VappTemplate]:
    return [
        VappTemplate(
            vdc_id=vdc_id,
            urn=f"template-{number}",
            name=f"template-{number}",
            seen_at=clock.now(),
            description="",
            catalog_name="public",
            guest_os=SYSTEMS[number % 4],
            vms=[
                {"urn": "x", "name": "vm", "guest_os": SYSTEMS[0], "cpu_count": 1, "memory_mb": 1024, "disk_mb": 20480}
            ],
            cpu_count=1,
            memory_mb=1024,
            disk_gb=20,
        )
        for number in range(20)
    ]


def make_vms(customer: Customer, total: int) -> None:
    """Add machines until there are so many, in vApps of five; the last time with a past of operations."""
    random_ = random.Random(total)
    with transaction():
        have = db.session.scalar(select(func.count(Vm.id))) or 0
        vapps = [_vapp(customer, number) for number in range(have // 5, total // 5)]
        vms = [_vm(customer, random_, number, vapps[(number - have) // 5]["id"]) for number in range(have, total)]
        db.session.execute(insert(VApp), vapps)
        db.session.execute(insert(Vm), vms)
        guarded = vms[:: max(1, len(vms) // 20)]
        db.session.execute(
            insert(VmGuard), [{"id": uuid.uuid4(), "vm_id": vm["id"], "is_protected": True} for vm in guarded]
        )
    if "operation_id" not in customer.ids:
        _make_operations(customer, random_, vms)
        _make_findings(customer, vms)
    customer.ids["vm_id"] = vms[0]["id"]
    db.session.remove()


def _vapp(customer: Customer, number: int) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "vdc_id": customer.vdc_id,
        "urn": f"urn:vcloud:vapp:{number}",
        "name": f"{ROLES[number % 8]}-{number:04}",
        "seen_at": clock.now(),
        "status": 4,
        "is_deployed": True,
    }


def _vm(customer: Customer, random_: random.Random, number: int, vapp_id: uuid.UUID) -> dict[str, Any]:
    status, is_deployed = random_.choice(STATES)
    now = clock.now()
    size = random_.choice((1, 2, 4, 8))
    inner = f"10.0.{number // 250}.{number % 250 + 4}"
    outer = f"203.0.{113 + number // 250}.{number % 250 + 4}" if random_.random() < 0.4 else None
    nics = [
        {
            "index": 0,
            "network": "dmz" if outer else "inner",
            "ip": inner,
            "external_ip": outer,
            "mac": f"00:50:56:01:{number // 256 % 256:02x}:{number % 256:02x}",
            "mode": "POOL",
            "is_connected": True,
            "primary": True,
        }
    ]
    return {
        "id": uuid.uuid4(),
        "vdc_id": customer.vdc_id,
        "vapp_id": vapp_id,
        "urn": f"urn:vcloud:vm:{uuid.uuid4()}",
        # Four of five are called after their vApp, as people do; the others stand out.
        "name": f"{ROLES[number // 5 % 8]}-{number // 5:04}-{number % 5}" if number % 5 else f"old{number}",
        "seen_at": now,
        "first_seen_at": now - timedelta(days=400),
        "state_since": now - timedelta(minutes=random_.randrange(60 * 24 * 300)),
        "status": status,
        "is_deployed": is_deployed,
        "cpu_count": size,
        "memory_mb": size * random_.choice((1024, 2048, 4096)),
        "guest_os": SYSTEMS[size % 4],
        "disks": [{"instance_id": "2000", "name": "Hard disk 1", "size_mb": 40960, "independent": False}],
        "disk_mb": random_.choice((20, 40, 80, 200)) * 1024,
        "nics": nics,
        "network_names": card_lines(nics, "network"),
        "addresses": card_lines(nics, "ip", "external_ip"),
        "inner_ip": inner,
        "outer_ip": outer,
    }


def _make_operations(customer: Customer, random_: random.Random, vms: list[dict[str, Any]]) -> None:
    """A past of starts, some of which failed, and three at work."""
    now = clock.now()
    operations = []
    for number in range(OPERATIONS):
        state = "running" if number < ACTIVE else "failed" if number % 50 == 0 else "succeeded"
        at = now - timedelta(minutes=2 * number)
        vm = vms[number] if number < ACTIVE else random_.choice(vms)
        operations.append(_operation(customer, vm, state, at, number))
    with transaction():
        db.session.execute(insert(Operation), operations)
        events = [
            {"operation_id": o["id"], "at": now, "step": "power_on", "kind": "sent", "text": ""} for o in operations
        ]
        db.session.execute(insert(OperationEvent), events)
    customer.ids["operation_id"] = operations[0]["id"]


def _make_findings(customer: Customer, vms: list[dict[str, Any]]) -> None:
    """What the sync has found: addresses, machines that were made larger in vCloud, and much that happened there."""
    now = clock.now()
    with transaction():
        changes = [{"what": "memory_mb", "before": 1024, "after": 2048}]
        db.session.execute(
            insert(VmEvent),
            [
                {
                    "account_id": customer.account_id,
                    "vm_id": vms[number % len(vms)]["id"],
                    "at": now - timedelta(minutes=3 * number),
                    "kind": "changed",
                    "changes": changes,
                }
                for number in range(EVENTS)
            ],
        )
        db.session.execute(
            insert(NetworkAddress),
            [
                {
                    "id": uuid.uuid4(),
                    "network_id": customer.ids["network_id"],
                    "ip": f"10.1.{number // 250}.{number % 250}",
                    "sort_key": f"4{number:010}",
                    "holder_urn": vm["urn"],
                }
                for number, vm in enumerate(vms)
            ],
        )
        drifts = [
            Drift(
                vdc_id=customer.vdc_id,
                vm_id=vm["id"],
                what="memory_mb",
                agreed=1024,
                panel=1024,
                vcloud=2048,
                state=DriftState.OPEN,
                found_at=now,
                last_seen_at=now,
            )
            for vm in vms[:DRIFTS]
        ]
        db.session.add_all(drifts)
        customer.ids["drift_id"] = drifts[0].id


def _operation(customer: Customer, vm: dict[str, Any], state: str, at: Any, number: int) -> dict[str, Any]:
    ended = {} if state == "running" else {"finished_at": at + timedelta(seconds=40)}
    failed = {"error_code": "refused", "error_params": {"message": "x"}} if state == "failed" else {"error_params": {}}
    return {
        "id": uuid.uuid4(),
        "kind": "start",
        "state": state,
        "step": "power_on",
        "account_id": customer.account_id,
        "user_id": customer.user_id,
        "vdc_id": customer.vdc_id,
        "vm_id": vm["id"],
        "form_token": f"token-{number}",
        "form_hash": "x",
        "params": {"vm_name": vm["name"]},
        "facts": {},
        "claim_no": 1,
        "next_at": at,
        "polls": 0,
        "deadline_at": at + timedelta(minutes=30),
        "created_at": at,
        "started_at": at,
        "moved_at": at,
        "finished_at": None,
        **ended,
        "error_code": None,
        **failed,
    }
