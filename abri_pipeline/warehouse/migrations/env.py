"""Alembic's environment: our engine, or the connection that `upgrade` hands over inside its transaction."""

from alembic import context
from sqlalchemy import Connection

from abri_pipeline.settings import Settings
from abri_pipeline.warehouse import partitions
from abri_pipeline.warehouse.engine import begin, open_engine
from abri_pipeline.warehouse.tables import metadata


def run(connection: Connection) -> None:
    """Run the revisions asked for in the transaction that is open."""
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, include_name=partitions.declared
    )
    with context.begin_transaction():
        context.run_migrations()


if (handed := context.config.attributes.get("connection")) is not None:
    run(handed)
else:
    with begin(open_engine(Settings.load())) as own:
        run(own)
