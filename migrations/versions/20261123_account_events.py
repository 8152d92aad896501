"""What was done in vCloud, by account"""

import sqlalchemy as sa
from alembic import op

revision = "b61c0d94e7f3"
down_revision = "a83d5e0f7b19"
branch_labels = None
depends_on = None

NOT_OURS = sa.text("operation_id IS NULL")
ACCOUNTS = """
    UPDATE vm_events SET account_id = (
        SELECT services.account_id FROM services
        JOIN vdcs ON vdcs.service_id = services.id JOIN vms ON vms.vdc_id = vdcs.id
        WHERE vms.id = vm_events.vm_id
    )
"""


def upgrade() -> None:
    op.add_column("vm_events", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.execute(ACCOUNTS)
    with op.batch_alter_table("vm_events") as batch:
        batch.alter_column("account_id", existing_type=sa.Uuid(), nullable=False)
        batch.create_foreign_key(batch.f("fk_vm_events_account_id_accounts"), "accounts", ["account_id"], ["id"])
    op.create_index(
        "ix_vm_events_account_id_at",
        "vm_events",
        ["account_id", "at"],
        sqlite_where=NOT_OURS,
        postgresql_where=NOT_OURS,
    )


def downgrade() -> None:
    op.drop_index("ix_vm_events_account_id_at", table_name="vm_events")
    with op.batch_alter_table("vm_events") as batch:
        batch.drop_constraint(batch.f("fk_vm_events_account_id_accounts"), type_="foreignkey")
        batch.drop_column("account_id")
