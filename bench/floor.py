"""The least that keeping machines in a database can cost, for bench.sync: no documents, no history, no checks.

The same pages of machines and vApps by requests, read with lxml; all rows known in one SELECT, one batched upsert of
those that differ.
"""

from collections.abc import Iterator

import requests
from lxml import etree
from sqlalchemy import Boolean, Column, Engine, Integer, MetaData, String, Table, select
from sqlalchemy.dialects import postgresql, sqlite

PAGE_SIZE = 128
Element = etree._Element  # noqa: SLF001 -- lxml gives its element class no public name
ROWS = Table(
    "floor_vms",
    MetaData(),
    Column("urn", String, primary_key=True),
    Column("vapp", String),
    Column("name", String),
    Column("status", String),
    Column("is_deployed", Boolean),
    Column("cpu_count", Integer),
    Column("memory_mb", Integer),
    Column("guest_os", String),
    Column("storage_profile", String),
    Column("ip", String),
    Column("network", String),
)


def read_and_write(url: str, vdc_href: str, engine: Engine) -> tuple[int, int]:
    """Bring the table up to date; returns how many machines there are and how many rows were written."""
    with requests.Session() as session:
        session.headers["Accept"] = "application/*+xml;version=36.0"
        answer = session.post(f"{url}/api/sessions", auth=("acme-admin@acme", "secret"))
        session.headers["x-vcloud-authorization"] = answer.headers["x-vcloud-authorization"]
        found = [_values(row) for row in _rows(session, url, "vm", f"(vdc=={vdc_href};isVAppTemplate==false)")]
        for _ in _rows(session, url, "vApp", f"vdc=={vdc_href}"):
            pass
    with engine.begin() as connection:
        known = {row.urn: row for row in connection.execute(select(ROWS))}
        changed = [values for values in found if known.get(values["urn"]) != tuple(values.values())]
        if changed:
            dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
            upsert = dialect.insert(ROWS)
            said = {column.name: upsert.excluded[column.name] for column in ROWS.columns if not column.primary_key}
            connection.execute(upsert.on_conflict_do_update(index_elements=["urn"], set_=said), changed)
    return len(found), len(changed)


def _rows(session: requests.Session, url: str, kind: str, condition: str) -> Iterator[Element]:
    page, left = 1, 1
    while left > 0:
        query = f"type={kind}&format=records&page={page}&pageSize={PAGE_SIZE}&filter={condition}"
        root = etree.fromstring(session.get(f"{url}/api/query?{query}").content)
        rows = [row for row in root if str(row.tag).endswith("Record")]
        left = int(root.get("total", 0)) - PAGE_SIZE * (page - 1) - len(rows)
        page += 1
        yield from rows


def _values(row: Element) -> dict[str, object]:
    get = row.get
    return {
        "urn": get("href", "")[-36:],
        "vapp": get("container", "")[-36:],
        "name": get("name"),
        "status": get("status"),
        "is_deployed": get("isDeployed") == "true",
        "cpu_count": int(get("numberOfCpus", 0)),
        "memory_mb": int(get("memoryMB", 0)),
        "guest_os": get("guestOs"),
        "storage_profile": get("storageProfileName"),
        "ip": get("ipAddress"),
        "network": get("networkName"),
    }
