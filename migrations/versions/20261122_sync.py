"""Synchronisation: its runs, what happened to machines, fingerprints of listings"""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "8e2b6d4f1a57"
down_revision = "90b3e7f1d2c8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sync_runs",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("listed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", UtcDateTime(timezone=True), nullable=True),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=True),
        sa.Column("vapps_done", sa.Integer(), nullable=False),
        sa.Column("vapps_total", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error_params", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_sync_runs_service_id_services")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sync_runs_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
    )
    op.create_index("ix_sync_runs_service_id_asked_at", "sync_runs", ["service_id", "asked_at"])
    op.create_index("ix_sync_runs_service_id_listed_at", "sync_runs", ["service_id", "listed_at"])
    for state in ("waiting", "running"):
        condition = sa.text(f"state = '{state}'")
        op.create_index(
            f"uq_sync_runs_{state}_service_id",
            "sync_runs",
            ["service_id"],
            unique=True,
            sqlite_where=condition,
            postgresql_where=condition,
        )
    op.create_table(
        "vm_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("vm_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_vm_events_operation_id_operations")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.id"], name=op.f("fk_vm_events_run_id_sync_runs")),
        sa.ForeignKeyConstraint(["vm_id"], ["vms.id"], name=op.f("fk_vm_events_vm_id_vms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vm_events")),
        sa.UniqueConstraint("vm_id", "run_id", name=op.f("uq_vm_events_vm_id_run_id")),
    )
    op.create_index("ix_vm_events_vm_id_at", "vm_events", ["vm_id", "at"])
    op.create_index(op.f("ix_vm_events_operation_id"), "vm_events", ["operation_id"])
    op.create_index(op.f("ix_vm_events_run_id"), "vm_events", ["run_id"])
    op.add_column("services", sa.Column("loss_confirmed_at", UtcDateTime(timezone=True), nullable=True))
    with op.batch_alter_table("vdcs") as vdcs:
        vdcs.drop_column("seen_at")
    for table in ("vapps", "vms"):
        op.add_column(table, sa.Column("read_at", UtcDateTime(timezone=True), nullable=True))
        # Until now every row was read whole, so none of them waits for its document.
        op.execute(f"UPDATE {table} SET read_at = seen_at")  # noqa: S608  two names of ours
    op.add_column("vapps", sa.Column("record_key", sa.String(length=32), nullable=True))
    op.add_column("vapps", sa.Column("read_key", sa.String(length=32), nullable=True))
    op.add_column("vms", sa.Column("missing_since", UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("vms", "missing_since")
    for column in ("read_key", "record_key", "read_at"):
        op.drop_column("vapps", column)
    op.drop_column("vms", "read_at")
    op.add_column("vdcs", sa.Column("seen_at", UtcDateTime(timezone=True), server_default="1970-01-01", nullable=False))
    op.drop_column("services", "loss_confirmed_at")
    op.drop_table("vm_events")
    op.drop_table("sync_runs")
