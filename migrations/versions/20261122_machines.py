"""What machines can be asked: snapshots, hot add, queue of a vApp, recycle bin, API tokens, unexplained errors"""

import sqlalchemy as sa
from alembic import op

import app.db

revision = "7d0e5b1c6a38"
down_revision = "3f1c9a7d52e4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("created_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_tokens_account_id_accounts")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index(op.f("ix_api_tokens_user_id"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "vm_guards",
        sa.Column("vm_id", sa.Uuid(), nullable=False),
        sa.Column("is_protected", sa.Boolean(), nullable=False),
        sa.Column("recycled_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("erase_at", app.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("name_before", sa.String(length=128), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["vm_id"], ["vms.id"], name=op.f("fk_vm_guards_vm_id_vms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vm_guards")),
        sa.UniqueConstraint("vm_id", name=op.f("uq_vm_guards_vm_id")),
    )
    op.create_index(op.f("ix_vm_guards_erase_at"), "vm_guards", ["erase_at"], unique=False)
    op.create_table(
        "unexplained_errors",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("minor_code", sa.String(length=80), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", app.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_unexplained_errors_operation_id_operations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unexplained_errors")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_unexplained_errors_fingerprint")),
    )
    op.add_column("operations", sa.Column("vapp_urn", sa.String(length=80), nullable=True))
    op.add_column("operations", sa.Column("cancel_asked_at", app.db.UtcDateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_operations_vapp_urn"), "operations", ["vapp_urn"], unique=False)
    op.add_column("vapps", sa.Column("networks", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("vms", sa.Column("cores_per_socket", sa.Integer(), nullable=True))
    op.add_column("vms", sa.Column("cpu_hot_add", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("vms", sa.Column("memory_hot_add", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("vms", sa.Column("has_snapshot", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("vms", sa.Column("snapshot_at", app.db.UtcDateTime(timezone=True), nullable=True))
    op.add_column("vms", sa.Column("storage_profile", sa.String(length=128), nullable=True))


def downgrade() -> None:
    for name in ("storage_profile", "snapshot_at", "has_snapshot", "memory_hot_add", "cpu_hot_add", "cores_per_socket"):
        op.drop_column("vms", name)
    op.drop_column("vapps", "networks")
    op.drop_index(op.f("ix_operations_vapp_urn"), table_name="operations")
    op.drop_column("operations", "cancel_asked_at")
    op.drop_column("operations", "vapp_urn")
    op.drop_table("unexplained_errors")
    op.drop_table("vm_guards")
    op.drop_table("api_tokens")
