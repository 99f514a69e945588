"""The index."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from abri_pipeline.contracts.abri import COMPONENTS, HISTORY
from abri_pipeline.defs.launch import tell
from abri_pipeline.defs.markdown import markdown_table
from abri_pipeline.defs.resources import House
from abri_pipeline.defs.specs import weekly
from abri_pipeline.derive import abri


@weekly(HISTORY)
def abri_history(context: dg.AssetExecutionContext, house: House) -> None:
    """Print every closed week of the launch, each method once for the same inputs."""
    engine = house.engine()
    abri.derive(engine, context.partition_keys)
    prints = abri.official(engine, context.partition_keys)
    tell(context, engine, [HISTORY], more={key: _figures(made) for key, made in prints.items()})


def _figures(prints: Sequence[Mapping[str, Any]]) -> dict[str, dg.MetadataValue]:
    """A week's prints: the score of each method, which the UI plots over the weeks, and what it is made of."""
    said: dict[str, dg.MetadataValue] = {}
    for made in prints:
        name = made["method"]
        if made["composite_score"] is not None:
            said[f"ABRI {name}"] = dg.MetadataValue.float(round(made["composite_score"], 2))
        parts = [{"component": c, "score": _shown(made[f"{c}_score"])} for c in COMPONENTS]
        level = made["level"] or "no level"
        said[f"status {name}"] = dg.MetadataValue.text(
            f"{made['status']}, {level}, {made['coverage']:.0%} of the weight"
        )
        said[f"components {name}"] = dg.MetadataValue.md(markdown_table(parts))
        if made["reason"]:
            said[f"reason {name}"] = dg.MetadataValue.text(made["reason"])
    return said


def _shown(score: float | None) -> str:
    return "missing" if score is None else f"{score:.1f}"
