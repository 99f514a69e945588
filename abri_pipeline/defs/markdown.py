"""Small tables in the UI's metadata."""

from collections.abc import Mapping, Sequence

from abri_pipeline.quality.report_markdown import table


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows as a Markdown table; what an upstream sent can neither break the table nor become markup."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return table(names, [[row.get(name, "") for name in names] for row in rows])
