"""Views of the warehouse, as SQL both databases read."""

from abri_pipeline.contracts.abri import HISTORY


def statements() -> list[str]:
    """One CREATE VIEW a view."""
    return [_abri_latest()]


def _abri_latest() -> str:
    """The official print of each date and method: the first live one for ever, else the newest reconstruction.

    A replay is a rehearsal and never official.
    """
    columns = ",\n    ".join(f'"{name}"' for name in HISTORY.columns)
    return f"""CREATE VIEW abri_latest AS
SELECT
    {columns}
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY as_of, method
        ORDER BY
            CASE kind WHEN 'live' THEN 0 ELSE 1 END,
            CASE kind WHEN 'live' THEN recorded_at END,
            recorded_at DESC, knowledge_at DESC, input_digest
    ) AS place
    FROM abri_history
    WHERE kind IN ('live', 'reconstructed')
) AS ranked
WHERE place = 1"""
