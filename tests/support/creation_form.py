"""The form that creates a server: values that are in order, and what comes of wrong ones."""

from flask.testing import FlaskClient
from sqlalchemy import select

from app.cloud.models import VApp, VappTemplate, Vdc
from app.db import db
from tests.support.page import Page, open_page
from vcdsim.faults import error

BAD_DISK = error("VIM_INVALID_DISK_PARAMETERS", "Invalid hard disk parameters")
"""What vCloud says of a disk that it cannot make."""


def template_id(name: str, vdc: str = "acme-vdc") -> str:
    """As the form sends it."""
    of_vdc = select(VappTemplate.id).join(Vdc, Vdc.id == VappTemplate.vdc_id).where(Vdc.name == vdc)
    return str(db.session.scalars(of_vdc.where(VappTemplate.name == name)).one())


def vapp_id(name: str) -> str:
    """As the form sends it."""
    return str(db.session.scalars(select(VApp.id).where(VApp.name == name)).one())


def values(**changes: str) -> dict[str, str]:
    """A form that is in order."""
    return {
        "template_id": template_id("debian-12"),
        "vm_name": "web-03",
        "cpu_count": "2",
        "memory_gb": "2",
        "disk_gb": "20",
        **changes,
    }


def refused(owner: FlaskClient, **changes: str) -> Page:
    """The form again, with what was wrong."""
    answer = open_page(owner, "/vms/new").send("/vms/new", **values(**changes))
    assert answer.status_code == 422
    return Page(owner, answer)
