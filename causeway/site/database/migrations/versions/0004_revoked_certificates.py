"""Client certificates that a responder says are revoked, and places that certificates name."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column."""
    op.create_table(
        "revoked_certificates",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_revoked_certificates")),
    )
    with op.batch_alter_table("revocation_sources") as table:
        table.add_column(sa.Column("discovered", sa.Boolean(), nullable=False, server_default=sa.false()))
