"""Which vApps are locked by their lease"""

import sqlalchemy as sa
from alembic import op

revision = "d2f58a7c1e36"
down_revision = "b61c0d94e7f3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("vapps", sa.Column("is_expired", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("vapps", "is_expired")
