"""Alembic environment. The caller passes an open connection; there is no alembic.ini."""

from alembic import context

from models.metadata import METADATA
from models.views import create_views, drop_views, grant_again, granted

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)

with context.begin_transaction():
    rights = granted(connection)
    drop_views(connection)
    context.run_migrations()
    create_views(connection)
    grant_again(connection, rights)
