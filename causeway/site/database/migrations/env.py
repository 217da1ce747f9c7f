"""Alembic's entry: the migrations run inside the transaction that the site has opened."""

from alembic import context

from causeway.site.database.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
