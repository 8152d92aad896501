"""Signs of life of the clock and the workers"""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "f4b90c72d5e8"
down_revision = "d2f58a7c1e36"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("program", sa.String(length=20), nullable=False),
        sa.Column("process", sa.String(length=120), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeats")),
        sa.UniqueConstraint("process", name=op.f("uq_heartbeats_process")),
    )


def downgrade() -> None:
    op.drop_table("heartbeats")
