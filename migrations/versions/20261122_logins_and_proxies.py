"""API tokens as logins, a login of the provider, proxies, the API version in use"""

import sqlalchemy as sa
from alembic import op

revision = "3f1c9a7d52e4"
down_revision = "0548c2c079ef"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are only added, so that SQLite need not copy tables which others refer to.
    op.add_column("handlers", sa.Column("proxy", sa.String(length=255), nullable=True))
    op.add_column("handlers", sa.Column("username", sa.String(length=128), nullable=False, server_default=""))
    op.add_column("handlers", sa.Column("password_sealed", sa.Text(), nullable=True))
    op.add_column("handlers", sa.Column("api_token_sealed", sa.Text(), nullable=True))
    op.add_column("handlers", sa.Column("api_version", sa.String(length=20), nullable=True))
    op.add_column(
        "handlers", sa.Column("is_api_deprecated", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("services", sa.Column("api_token_sealed", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("services", "api_token_sealed")
    for name in ("is_api_deprecated", "api_version", "api_token_sealed", "password_sealed", "username", "proxy"):
        op.drop_column("handlers", name)
