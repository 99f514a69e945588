"""`make demo` from an empty folder, installation included."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from abri_pipeline_tests.bench.figure import Figure
from abri_pipeline_tests.bench.rooms import ROOT, ChildFailed

MOST_SECONDS = 360.0


def measure(runs: int) -> Figure:
    """A fresh clone of HEAD and a fresh environment each time; only pip's own download cache is what it was."""
    return Figure(
        name="demo",
        what="make demo from an empty folder, installation included",
        unit="s",
        samples=[_seconds() for _ in range(runs)],
        target=MOST_SECONDS,
        notes=["pip's download cache was left as it was"],
    )


def _seconds() -> float:
    foreign = ("ABRI_", "DATABASE_URL", "DAGSTER_", "FRED_API_KEY", "VIRTUAL_ENV", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    with tempfile.TemporaryDirectory(prefix="abri-bench-demo-") as folder:
        clone = Path(folder) / "abri"
        began = time.perf_counter()
        for command, place in ((["git", "clone", "-q", str(ROOT), str(clone)], ROOT), (["make", "demo"], clone)):
            done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                said = (done.stdout + done.stderr)[-2000:]
                raise ChildFailed(f"{' '.join(command)} ended with {done.returncode}: {said}")
        return time.perf_counter() - began
