"""The documentation page of the datasets is what the contracts say."""

from abri_pipeline.contracts.catalog import TABLES
from abri_pipeline.contracts.pages import datasets_page
from abri_pipeline.settings import PROJECT_ROOT


def test_the_page_is_written_from_the_contracts():
    assert (PROJECT_ROOT / "docs" / "datasets.md").read_text() == datasets_page(), "run `make docs`"


def test_every_field_of_every_table_is_on_the_page():
    page = datasets_page()
    for table in TABLES:
        assert f"`{table.name}`" in page
        assert all(field.meaning in page for field in table)
