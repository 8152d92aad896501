"""The drift desk"""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "c7e3a91f5d28"
down_revision = "5a1d7c3e9b42"
branch_labels = None
depends_on = None

LIVE = sa.text("state IN ('open', 'noted', 'ignored')")


def upgrade() -> None:
    op.create_table(
        "drifts",
        sa.Column("vdc_id", sa.Uuid(), nullable=False),
        sa.Column("vm_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("agreed", sa.JSON(), nullable=False),
        sa.Column("panel", sa.JSON(), nullable=False),
        sa.Column("vcloud", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("found_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("ignored_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["vdc_id"], ["vdcs.id"], name=op.f("fk_drifts_vdc_id_vdcs")),
        sa.ForeignKeyConstraint(["vm_id"], ["vms.id"], name=op.f("fk_drifts_vm_id_vms")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.id"], name=op.f("fk_drifts_run_id_sync_runs")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_drifts_decided_by_id_users")),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_drifts_operation_id_operations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
    )
    only = {"sqlite_where": LIVE, "postgresql_where": LIVE}
    op.create_index("uq_drifts_live_vm_id_what", "drifts", ["vm_id", "what"], unique=True, **only)
    op.create_index("ix_drifts_live_vdc_id", "drifts", ["vdc_id", "state", "found_at"], **only)
    for column in ("vm_id", "run_id", "operation_id"):
        op.create_index(op.f(f"ix_drifts_{column}"), "drifts", [column])


def downgrade() -> None:
    op.drop_table("drifts")
