"""Progress of a foreground run: bars where somebody watches, a line a dataset where nobody does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from abri_pipeline.cli.terminal import terminal

Watch = Callable[[str, str, int, int], None]  # dataset, unit, done, of


@contextmanager
def watched(datasets: int, *, quiet: bool) -> Iterator[Watch]:
    """A callback for `defs.resources.WATCHER`, and what it draws until the block ends.

    Args:
        datasets: how many datasets the run makes.
        quiet: draw nothing, for a machine that reads JSON.
    """
    if quiet:
        yield _silent
    elif terminal().err.isatty():
        with _bars(datasets) as watch:
            yield watch
    else:
        yield _lines(datasets)


def _silent(_dataset: str, _unit: str, _done: int, _of: int) -> None:
    return


@contextmanager
def _bars(datasets: int) -> Iterator[Watch]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[unit]}"),
    )
    # Dagster owns stdout and stderr during a step, so rich must leave them alone.
    with Progress(*columns, console=terminal().remarks, redirect_stdout=False, redirect_stderr=False) as progress:
        whole = progress.add_task("datasets", total=datasets, unit="")
        tasks = {}
        told: set[str] = set()

        def watch(dataset: str, unit: str, done: int, of: int) -> None:
            if dataset not in tasks:
                tasks[dataset] = progress.add_task(dataset, total=of, unit="")
            if unit != _BOOKED:
                progress.update(tasks[dataset], total=of, completed=done, unit=unit)
                return
            progress.update(tasks[dataset], completed=progress.tasks[tasks[dataset]].total, unit="")
            told.add(dataset)
            progress.update(whole, completed=len(told), unit=dataset)

        yield watch
        progress.update(whole, unit="")


_BOOKED = "weeks booked"  # what `defs.launch.tell` reports once a dataset's rows are stored


def _lines(datasets: int) -> Watch:
    lock, told = Lock(), set[str]()

    def watch(dataset: str, unit: str, _done: int, _of: int) -> None:
        with lock:
            if unit == _BOOKED and dataset not in told:
                told.add(dataset)
                terminal().note(f"{len(told)}/{datasets} {dataset}")

    return watch
