"""Which listing a template was read for, and when"""

import sqlalchemy as sa
from alembic import op

from app.db import UtcDateTime

revision = "e19f4b7a2c60"
down_revision = "c7e3a91f5d28"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("vapp_templates", sa.Column("record_key", sa.String(length=32), nullable=True))
    op.add_column("vapp_templates", sa.Column("read_at", UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("vapp_templates", "read_at")
    op.drop_column("vapp_templates", "record_key")
