"""Since when a device is blocked."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; of devices that are blocked already, nobody noted it."""
    op.add_column("devices", sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True))
