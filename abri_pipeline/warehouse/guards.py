"""Triggers that keep append-only tables append-only, whoever holds the connection."""

from abri_pipeline.contracts.catalog import TABLES

_FUNCTION = """CREATE FUNCTION abri_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = TG_TABLE_NAME || ' is append-only';
END
$$"""


def statements(dialect: str) -> list[str]:
    """The triggers of every append-only table; both databases answer a change with an integrity error."""
    names = [table.name for table in TABLES if table.append_only]
    if dialect == "postgresql":
        return [_FUNCTION, *(trigger for name in names for trigger in _postgresql(name))]
    return [trigger for name in names for trigger in _sqlite(name)]


def _postgresql(name: str) -> list[str]:
    return [
        f'CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON "{name}" '
        "FOR EACH ROW EXECUTE FUNCTION abri_append_only()",
        f'CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON "{name}" '
        "FOR EACH STATEMENT EXECUTE FUNCTION abri_append_only()",
    ]


def _sqlite(name: str) -> list[str]:
    return [
        f'CREATE TRIGGER {name}_no_{change.lower()} BEFORE {change} ON "{name}" '
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
        for change in ("UPDATE", "DELETE")
    ]
