"""Consoles that were granted, and how browsers reach them"""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "a83d5e0f7b19"
down_revision = "4d8b2f6c91ae"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handlers", sa.Column("console_mode", sa.String(length=10), server_default="gateway", nullable=False))
    op.add_column("handlers", sa.Column("console_hosts", sa.JSON(), server_default="[]", nullable=False))
    op.create_table(
        "console_grants",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("vm_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["vm_id"], ["vms.id"], name=op.f("fk_console_grants_vm_id_vms")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_console_grants_account_id_accounts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_console_grants_user_id_users")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["user_sessions.id"], name=op.f("fk_console_grants_session_id_user_sessions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_grants")),
        sa.UniqueConstraint("id_hash", name=op.f("uq_console_grants_id_hash")),
    )
    op.create_index(op.f("ix_console_grants_expires_at"), "console_grants", ["expires_at"])


def downgrade() -> None:
    op.drop_table("console_grants")
    op.drop_column("handlers", "console_hosts")
    op.drop_column("handlers", "console_mode")
