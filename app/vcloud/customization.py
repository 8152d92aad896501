"""Settings for the guest's first boot, written into a GuestCustomizationSection."""

from app.vcloud.types import GuestCustomization
from app.vcloud.xml import VCLOUD, Element, child

# The order of the schema; a new element goes before those that stand behind it here.
_ORDER = [
    "Enabled",
    "ChangeSid",
    "VirtualMachineId",
    "JoinDomainEnabled",
    "UseOrgSettings",
    "DomainName",
    "DomainUserName",
    "DomainUserPassword",
    "MachineObjectOU",
    "AdminPasswordEnabled",
    "AdminPasswordAuto",
    "AdminPassword",
    "AdminAutoLogonEnabled",
    "AdminAutoLogonCount",
    "ResetPasswordRequired",
    "CustomizationScript",
    "ComputerName",
    "Link",
]


def customize(section: Element, wish: GuestCustomization) -> None:
    """Write what is wished into the section and leave the rest. A password switches itself on and vCloud's own off."""
    password = wish.password is not None
    values: dict[str, str | bool | None] = {
        "Enabled": wish.enabled,
        "ChangeSid": wish.change_sid,
        "AdminPasswordEnabled": True if password and wish.password_enabled is None else wish.password_enabled,
        "AdminPasswordAuto": False if password and wish.password_auto is None else wish.password_auto,
        "AdminPassword": wish.password,
        "ResetPasswordRequired": wish.reset_password_required,
        "ComputerName": wish.computer_name,
    }
    for name, value in values.items():
        if value is not None:
            _set(section, name, value if isinstance(value, str) else str(value).lower())


def _set(section: Element, name: str, value: str) -> None:
    found = child(section, name)
    if found is None:
        found = section.makeelement(f"{{{VCLOUD}}}{name}")
        behind = {f"{{{VCLOUD}}}{later}" for later in _ORDER[_ORDER.index(name) + 1 :]}
        places = [section.index(old) for old in section if old.tag in behind]
        section.insert(places[0] if places else len(section), found)
    found.text = value
