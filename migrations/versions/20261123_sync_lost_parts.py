"""Runs of the sync: workers in a row that took it and did not come back"""

import sqlalchemy as sa
from alembic import op

revision = "4d8b2f6c91ae"
down_revision = "e19f4b7a2c60"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sync_runs", sa.Column("lost_parts", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("sync_runs", "lost_parts")
