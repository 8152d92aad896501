"""Indexes for the lists of machines and operations"""

import sqlalchemy as sa
from alembic import op

revision = "e2a90c5d7b14"
down_revision = "c41b7f2e9d05"
branch_labels = None
depends_on = None

RANK = (
    "CASE WHEN status = 4 THEN 2 WHEN status = 3 THEN 3 WHEN status = 0 THEN 1 WHEN status <> 8 THEN 0 "
    "WHEN is_deployed THEN 0 ELSE 4 END"
)


def _where(condition: str) -> dict[str, sa.TextClause]:
    return {f"{engine}_where": sa.text(condition) for engine in ("sqlite", "postgresql")}


def upgrade() -> None:
    # SQLite adds only virtual columns to a table, PostgreSQL before 18 knows only stored ones; both have indexes.
    rank = sa.Computed(RANK, persisted=op.get_bind().dialect.name != "sqlite")
    op.add_column("vms", sa.Column("state_rank", sa.Integer(), rank, nullable=False))
    present = _where("gone_at IS NULL")
    op.create_index("ix_vms_vdc_id_state_rank", "vms", ["vdc_id", "state_rank", "name", "id"], **present)
    op.create_index("ix_vms_vdc_id_name", "vms", ["vdc_id", "name", "id"], **present)
    op.create_index("ix_vms_vdc_id_gone_at", "vms", ["vdc_id", "gone_at"], **_where("gone_at IS NOT NULL"))
    active = _where("state IN ('queued', 'running')")
    op.create_index("ix_operations_active_account_id", "operations", ["account_id"], **active)
    op.create_index("ix_operations_account_id_created_at", "operations", ["account_id", "created_at"])
    op.drop_index("ix_operations_account_id", table_name="operations")


def downgrade() -> None:
    op.create_index("ix_operations_account_id", "operations", ["account_id"])
    op.drop_index("ix_operations_account_id_created_at", table_name="operations")
    op.drop_index("ix_operations_active_account_id", table_name="operations")
    for name in ("gone_at", "name", "state_rank"):
        op.drop_index(f"ix_vms_vdc_id_{name}", table_name="vms")
    op.drop_column("vms", "state_rank")
