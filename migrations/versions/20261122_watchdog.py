"""Watchdog of operations: turns lost in a row; an index for the usual time of a kind"""

import sqlalchemy as sa
from alembic import op

revision = "c41b7f2e9d05"
down_revision = "7d0e5b1c6a38"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("operations", sa.Column("lost_turns", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_operations_kind_state_finished_at", "operations", ["kind", "state", "finished_at"])


def downgrade() -> None:
    op.drop_index("ix_operations_kind_state_finished_at", table_name="operations")
    op.drop_column("operations", "lost_turns")
