"""`dagster definitions validate`, as the linter runs it, above the bare import of Dagster's command line."""

import subprocess
import sys
import time
from collections.abc import Mapping

from abri_pipeline_tests.bench.figure import Figure, Floor
from abri_pipeline_tests.bench.rooms import ROOT, ChildFailed, environment, fresh_home

MOST_SECONDS = 4.0
VALIDATE = ["-m", "dagster", "definitions", "validate"]
BARE = ["-c", "import dagster._cli"]


def measure(runs: int) -> Figure:
    """Whole processes, each with a fresh home."""
    samples, bare = [], []
    for _ in range(runs):
        with fresh_home() as home:
            env = environment(home)
            bare.append(_seconds(BARE, env))
            samples.append(_seconds(VALIDATE, env))
    return Figure(
        name="definitions",
        what="dagster definitions validate",
        unit="s",
        samples=samples,
        target=MOST_SECONDS,
        floors=[Floor("import of Dagster's command line", bare)],
    )


def _seconds(arguments: list[str], env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=dict(env), capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise ChildFailed(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return took
