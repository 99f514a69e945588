"""Checks of single rows and single loads: the contract, the units that failed, the plausible ranges."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from abri_pipeline.contracts.model import Dataset, Field, Kind
from abri_pipeline.contracts.operations import AUDIT, REJECTED, RUNS
from abri_pipeline.quality.checks_verdict import EXAMPLES, NOTHING, Rows, Verdict, booked, cell, judge, standing
from abri_pipeline.warehouse.tables import FINITE, sql_table

Rule = tuple[str, sa.ColumnElement[bool]]  # what a rule says, and the condition under which a row breaks it
UNREADABLE = "malformed"


def contract(connection: Connection, dataset: Dataset) -> Verdict:
    """No stored row breaks the contract, and the newest payload of no unit brought a row that had to be rejected.

    The stored rows are counted anew, whatever CHECKs the database has. A payload that could not be read at all
    counts as well; a rejection that a later payload of the same unit has replaced does not.
    """
    stored, broken, shown = _broken(connection, dataset)
    refused, rejected = _refused(connection, dataset)
    unread = _unread(connection, dataset)
    found = sum(broken.values()) + len(refused) + len(unread)
    counts: dict[str, int] = dict(broken)
    for row in refused:
        counts[row["rule"]] = counts.get(row["rule"], 0) + 1
    return judge(
        found,
        "error",
        f"{stored} stored rows keep the contract, and the newest payloads brought no other",
        f"{sum(broken.values())} stored rows break the contract; {rejected} rows of the newest payloads were "
        f"rejected; payloads unreadable or quarantined: {len(unread)}; "
        f"rules broken: {', '.join(sorted(counts)) or NOTHING}",
        stored=stored,
        rejected=rejected,
        rules=[{"rule": rule, "rows": str(count)} for rule, count in sorted(counts.items())],
        rows=[*shown, *refused][:EXAMPLES],
        unreadable=unread[:EXAMPLES],
    )


def _broken(connection: Connection, dataset: Dataset) -> tuple[int, dict[str, int], Rows]:
    """Stored rows, how many of them break each rule, and the first of those."""
    table = sql_table(dataset)
    rules = dict(_rules(dataset))
    counted = [sa.func.coalesce(sa.func.sum(sa.case((broken, 1), else_=0)), 0) for broken in rules.values()]
    stored, *counts = connection.execute(sa.select(sa.func.count(), *counted).select_from(table)).one()
    found = {rule: int(count) for rule, count in zip(rules, counts, strict=True) if count}
    shown: Rows = []
    key = [table.c[name] for name in dataset.key]
    for rule in found:
        for row in connection.execute(sa.select(*key).where(rules[rule]).order_by(*key).limit(EXAMPLES)):
            shown.append({"row": " ".join(map(cell, row)), "rule": rule, "reason": "stored against the contract"})
    return int(stored), found, shown


def _rules(dataset: Dataset) -> Iterator[Rule]:
    """Every bound, choice, order and required field of a contract."""
    columns = sql_table(dataset).c
    for field in dataset:
        yield from _field_rules(field, columns[field.name], field.required or field.name in dataset.key)
    for low, high in dataset.orders:
        yield f"{low} <= {high}", columns[low] > columns[high]


def _field_rules(field: Field, column: sa.ColumnElement[object], required: bool) -> Iterator[Rule]:
    if required:
        yield f"{field.name} is required", column.is_(None)
    if field.kind is Kind.NUMBER:
        yield f"{field.name} is finite", ~column.between(-FINITE, FINITE)
    if field.low is not None:
        yield f"{field.name} >= {field.low:g}", column < field.low
    if field.above is not None:
        yield f"{field.name} > {field.above:g}", column <= field.above
    if field.high is not None:
        yield f"{field.name} <= {field.high:g}", column > field.high
    if field.choices:
        yield f"{field.name} is known", column.not_in(field.choices)


def _newest(dataset: Dataset, payloads_only: bool) -> sa.Subquery:
    """The newest audit record of each unit and timeframe; ids grow, and settle the order of records of one instant."""
    audit = sql_table(AUDIT)
    order = (audit.c.recorded_at.desc(), audit.c.audit_id.desc())
    place = sa.func.row_number().over(partition_by=(audit.c.symbol, audit.c.timeframe), order_by=order).label("place")
    query = sa.select(audit.c.symbol, audit.c.raw_hash, audit.c.outcome, audit.c.error, place).where(
        audit.c.dataset == booked(dataset)
    )
    if payloads_only:
        query = query.where(audit.c.raw_hash.is_not(None))
    return query.subquery()


def _refused(connection: Connection, dataset: Dataset) -> tuple[Rows, int]:
    """Every rule that a row of a unit's newest payload broke, and how many rows those are."""
    newest, rejected = _newest(dataset, payloads_only=True), sql_table(REJECTED)
    same = (newest.c.raw_hash == rejected.c.payload_hash) & (newest.c.symbol == rejected.c.symbol)
    query = (
        sa.select(rejected.c.symbol, rejected.c.payload_hash, rejected.c.row, rejected.c.rule, rejected.c.reason)
        .join(newest, same & (newest.c.place == 1))
        .where(rejected.c.dataset == dataset.name)
        .order_by(rejected.c.symbol, rejected.c.row, rejected.c.rule)
    )
    found = connection.execute(query).all()
    rows = [{"row": r.row, "rule": r.rule, "reason": f"{r.symbol}: {r.reason}"} for r in found]
    return rows, len({(r.payload_hash, r.row) for r in found})


def _unread(connection: Connection, dataset: Dataset) -> Rows:
    """Units whose newest payload could not be read."""
    newest = _newest(dataset, payloads_only=True)
    query = sa.select(newest).where(newest.c.place == 1, newest.c.outcome == UNREADABLE).order_by(newest.c.symbol)
    return [{"what": r.symbol, "payload": r.raw_hash, "reason": cell(r.error)} for r in connection.execute(query)]


def failures(connection: Connection, dataset: Dataset) -> Verdict:
    """No unit failed in the dataset's newest run; one that did is named with its reason."""
    runs = sql_table(RUNS)
    mine = (runs.c.kind == booked(dataset), runs.c.status != "running")
    newest = sa.select(sa.func.max(runs.c.started_at)).where(*mine).scalar_subquery()
    rows = connection.execute(sa.select(runs).where(*mine, runs.c.started_at == newest)).all()
    last = _last_job(connection, dataset)
    if any(row.run_id == f"{last}:{row.kind}" for row in rows):  # one instant, several runs: the clock is frozen
        rows = [row for row in rows if row.run_id == f"{last}:{row.kind}"]
    failed = sorted({unit for row in rows for unit in (row.symbols_failed or "").split(",") if unit})
    newest_audit = _newest(dataset, payloads_only=False)
    said = connection.execute(sa.select(newest_audit).where(newest_audit.c.place == 1))
    why = {row.symbol: cell(row.error) for row in said}
    return judge(
        len(failed),
        "error",
        "nothing failed in the newest run" if rows else "nothing was run yet",
        f"failed in the newest run: {', '.join(failed)}",
        requested=sum(row.symbols_requested for row in rows),
        failed=[{"what": unit, "reason": why.get(unit, NOTHING)} for unit in failed],
    )


def _last_job(connection: Connection, dataset: Dataset) -> str | None:
    """The job that wrote the dataset's newest audit record."""
    audit = sql_table(AUDIT)
    order = (audit.c.recorded_at.desc(), audit.c.audit_id.desc())
    query = sa.select(audit.c.job_id).where(audit.c.dataset == booked(dataset)).order_by(*order).limit(1)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def ranges(connection: Connection, dataset: Dataset) -> Verdict:
    """Every value lies in its plausible range; one outside landed, and is named with its day."""
    table = sql_table(dataset)
    total, shown = 0, []
    key = [table.c[name] for name in dataset.key]
    for field in dataset:
        if field.plausible is None:
            continue
        low, high = field.plausible
        column = table.c[field.name]
        outside = [(column < low) | (column > high), *standing(dataset)]
        count = connection.execute(sa.select(sa.func.count()).select_from(table).where(*outside)).scalar_one()
        newest = sa.select(*key, column).where(*outside).order_by(table.c[dataset.observed].desc(), *key)
        for *parts, value in connection.execute(newest.limit(EXAMPLES)):
            row = " ".join(map(cell, parts))
            shown.append(
                {
                    "row": row,
                    "field": field.name,
                    "value": cell(value),
                    "plausible": f"{low:g} to {high:g} {field.unit}",
                }
            )
        total += count
    first = f", such as {shown[0]['field']} {shown[0]['value']} ({shown[0]['row']})" if shown else ""
    return judge(
        total,
        "warn",
        "every value is plausible",
        f"{total} values outside their plausible range{first}",
        outside=total,
        values=shown[:EXAMPLES],
    )
