"""`python -m abri_pipeline_tests.bench`: measure and print; it never fails on a time."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from abri_pipeline.settings import PROJECT_ROOT
from abri_pipeline_tests.bench import (
    bars_upsert,
    definitions_load,
    demo,
    engine_scale,
    gap_detection,
    market_metrics,
    planning,
    whole_graph,
)
from abri_pipeline_tests.bench.figure import Figure
from abri_pipeline_tests.bench.rooms import RECORDED

RUNS = 5


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for, print each figure as soon as it stands, and return the exit code 0."""
    asked = _parser().parse_args(arguments)
    recorded = RECORDED if RECORDED.is_dir() and not asked.synthetic else None
    figures: dict[str, Callable[[], Figure]] = {
        "market-metrics": lambda: market_metrics.measure(asked.runs),
        "definitions": lambda: definitions_load.measure(asked.runs),
        "upsert": lambda: bars_upsert.measure(asked.runs),
        "gap-detection": lambda: gap_detection.measure(asked.runs),
        "planning": lambda: planning.measure(asked.runs),
        **({"engine": lambda: engine_scale.measure(asked.runs, recorded)} if recorded else {}),
        "whole-graph": lambda: whole_graph.measure(asked.runs, recorded),
        "demo": lambda: demo.measure(1),
    }
    wanted = [name for name in asked.only or () if name in figures] or [
        name for name in figures if name != "demo" or asked.with_demo
    ]
    _say(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}; medians")
    found = []
    for name in wanted:
        figure = figures[name]()
        found.append(figure)
        _say("\n".join(["", *figure.lines()]))
    if asked.json:
        asked.json.write_text(json.dumps([figure.document() for figure in found], indent=1) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    names = ["market-metrics", "definitions", "upsert", "gap-detection", "planning", "engine", "whole-graph", "demo"]
    parser = argparse.ArgumentParser(prog="make bench", description=f"Measures {PROJECT_ROOT.name}'s figures.")
    parser.add_argument("--only", action="append", choices=names, help="one figure; may be given several times")
    parser.add_argument("--runs", type=int, default=RUNS, help="rounds a figure (default 5)")
    parser.add_argument("--json", type=Path, help="also write every sample to this file")
    parser.add_argument("--synthetic", action="store_true", help="replay no recorded market, even where one is there")
    parser.add_argument("--with-demo", action="store_true", help="also install from nothing and run `make demo`, once")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
