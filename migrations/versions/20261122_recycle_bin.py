"""Index for the few machines in the recycle bin"""

import sqlalchemy as sa
from alembic import op

revision = "b6f2d81c0a47"
down_revision = "e2a90c5d7b14"
branch_labels = None
depends_on = None


def upgrade() -> None:
    recycled = {f"{engine}_where": sa.text("recycled_at IS NOT NULL") for engine in ("sqlite", "postgresql")}
    op.create_index("ix_vm_guards_recycled_vm_id", "vm_guards", ["vm_id"], **recycled)


def downgrade() -> None:
    op.drop_index("ix_vm_guards_recycled_vm_id", table_name="vm_guards")
