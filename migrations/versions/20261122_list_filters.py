"""What filters and counts of the list of machines look at"""

import sqlalchemy as sa
from alembic import op

revision = "90b3e7f1d2c8"
down_revision = "b6f2d81c0a47"
branch_labels = None
depends_on = None

COLUMNS = {"network_names": ("network",), "addresses": ("ip", "external_ip")}
"""New columns of `vms`, and what they hold of each network card."""


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("vms", sa.Column(name, sa.Text(), server_default="", nullable=False))
    vms = sa.table("vms", sa.column("id", sa.Uuid()), sa.column("nics", sa.JSON()), *map(sa.column, COLUMNS))
    for row in op.get_bind().execute(sa.select(vms.c.id, vms.c.nics)).all():
        lines = {name: _lines(row.nics, keys) for name, keys in COLUMNS.items()}
        op.execute(vms.update().where(vms.c.id == row.id).values(**lines))
    present = {f"{engine}_where": sa.text("gone_at IS NULL") for engine in ("sqlite", "postgresql")}
    size = ["vdc_id", "cpu_count", "memory_mb", "disk_mb", "name", "id"]
    op.create_index("ix_vms_vdc_id_size", "vms", size, **present)
    op.create_index("ix_vms_counted", "vms", ["vdc_id", "state_rank"], **present)


def _lines(nics: list[dict[str, str | None]], keys: tuple[str, ...]) -> str:
    return "".join(f"\n{nic[key]}" for nic in nics for key in keys if nic.get(key))


def downgrade() -> None:
    op.drop_index("ix_vms_counted", table_name="vms")
    op.drop_index("ix_vms_vdc_id_size", table_name="vms")
    for name in COLUMNS:
        op.drop_column("vms", name)
