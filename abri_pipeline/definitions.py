"""What Dagster loads."""

from abri_pipeline.defs.graph import defs

__all__ = ["defs"]
