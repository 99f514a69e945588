"""ABRI, the AI Bubble Risk Index: an open, point-in-time data platform on Dagster.

Each folder below is a room with one business; `docs/architecture.md` draws the house and
`abri_pipeline_tests/test_house.py` proves that imports run one way.
"""
