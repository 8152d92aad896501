"""Addresses of networks, leases of vApps, storage profiles and use of data centers"""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "5a1d7c3e9b42"
down_revision = "8e2b6d4f1a57"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "network_addresses",
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("sort_key", sa.String(length=33), nullable=False),
        sa.Column("holder_urn", sa.String(length=80), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_network_addresses_network_id_networks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_addresses")),
        sa.UniqueConstraint("network_id", "ip", name=op.f("uq_network_addresses_network_id_ip")),
    )
    op.create_index("ix_network_addresses_network_id_sort_key", "network_addresses", ["network_id", "sort_key"])
    op.add_column("networks", sa.Column("addresses_at", UtcDateTime(timezone=True), nullable=True))
    op.add_column("networks", sa.Column("addresses_due_at", UtcDateTime(timezone=True), nullable=True))
    op.add_column("vapps", sa.Column("runtime_ends_at", UtcDateTime(timezone=True), nullable=True))
    op.add_column("vapps", sa.Column("storage_ends_at", UtcDateTime(timezone=True), nullable=True))
    has_lease = sa.text("(runtime_ends_at IS NOT NULL OR storage_ends_at IS NOT NULL)")
    op.create_index("ix_vapps_with_lease", "vapps", ["vdc_id"], sqlite_where=has_lease, postgresql_where=has_lease)
    op.add_column("vdcs", sa.Column("nic_quota", sa.Integer(), nullable=True))
    op.add_column("vdcs", sa.Column("cpu_used_mhz", sa.BigInteger(), nullable=True))
    op.add_column("vdcs", sa.Column("memory_used_mb", sa.BigInteger(), nullable=True))
    op.add_column("vdcs", sa.Column("storage_profiles", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    for name in ("storage_profiles", "memory_used_mb", "cpu_used_mhz", "nic_quota"):
        op.drop_column("vdcs", name)
    op.drop_index("ix_vapps_with_lease", "vapps")
    for name in ("storage_ends_at", "runtime_ends_at"):
        op.drop_column("vapps", name)
    for name in ("addresses_due_at", "addresses_at"):
        op.drop_column("networks", name)
    op.drop_table("network_addresses")
