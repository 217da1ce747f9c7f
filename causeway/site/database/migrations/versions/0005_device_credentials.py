"""What devices show beside what they registered, and what a blocked device was before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns; blocks that follow from a device's own are no rows any more."""
    op.create_table(
        "device_credentials",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_device_credentials_device_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", "kind", "value", name=op.f("pk_device_credentials")),
    )
    op.create_index(op.f("ix_device_credentials_value"), "device_credentials", ["value"])
    op.add_column("devices", sa.Column("approval_before_block", sa.String(length=16), nullable=True))
    op.add_column("devices", sa.Column("reason_before_block", sa.String(length=255), nullable=True))
    devices = sa.table("devices", sa.column("smsid", sa.String), sa.column("approval", sa.String))
    certificates = sa.table("blocked_certificates", sa.column("reason", sa.String))
    bind = op.get_bind()
    for smsid in bind.scalars(sa.select(devices.c.smsid).where(devices.c.approval == "blocked")).all():
        op.execute(sa.delete(certificates).where(certificates.c.reason == f"device {smsid} is blocked"))
