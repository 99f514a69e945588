"""The first schema: every table, view and guard, as the SQL files beside it say."""

from pathlib import Path

from alembic import op

revision = "0001_initial"
down_revision = None
branch_labels = None
depends_on = None

INITIAL = Path(__file__).resolve().parent.parent / "initial"


def upgrade() -> None:
    """Create everything; statements stand apart by a blank line."""
    connection = op.get_bind()
    script = (INITIAL / f"{connection.dialect.name}.sql").read_text(encoding="utf-8")
    for statement in filter(None, map(str.strip, script.split("\n\n"))):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """There is nothing before the first schema but an empty database."""
    raise RuntimeError("the first schema has no way back; drop the database instead")
