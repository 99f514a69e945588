"""The shipped graph as a page of text, small enough to review in a change.

    python -m abri_pipeline_tests.defs.snapshot

writes it anew after an intended change.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from abri_pipeline.definitions import defs as shipped

PAGE = Path(__file__).with_name("snapshot.txt")


def page(defs: dg.Definitions) -> str:
    """Assets with group, kinds, partitions, upstreams and checks; then jobs, schedules, sensors and resources."""
    return "\n".join([*_assets(defs), "", *_automation(defs)]) + "\n"


def _assets(defs: dg.Definitions) -> Iterator[str]:
    graph = defs.resolve_asset_graph()
    steps = {key: node.op.name for node in graph.assets_defs if node.is_executable for key in node.keys}
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string()):
        node = graph.get(key)
        yield f"asset {key.to_user_string()}"
        yield f"  group: {node.group_name}; kinds: {', '.join(sorted(node.kinds))}; owners: {', '.join(node.owners)}"
        yield f"  step: {steps.get(key, '-')}; backfill: {_policy(node.backfill_policy)}"
        yield f"  partitions: {node.partitions_def}"
        yield f"  from: {', '.join(sorted(k.to_user_string() for k in node.parent_keys)) or '-'}"
        checks = sorted(c.name for c in graph.asset_check_keys if c.asset_key == key)
        yield f"  checks: {', '.join(checks) or '-'}"


def _policy(policy: dg.BackfillPolicy | None) -> str:
    return str(policy.policy_type.value) if policy else "-"


def _automation(defs: dg.Definitions) -> Iterator[str]:
    for job in sorted(defs.jobs or (), key=lambda job: job.name):
        yield f"job {job.name}"
    for schedule in sorted(defs.schedules or (), key=lambda schedule: schedule.name):
        if isinstance(schedule, dg.ScheduleDefinition):
            status = schedule.default_status.value.lower()
            yield f"schedule {schedule.name}: {schedule.cron_schedule} {schedule.execution_timezone}, {status}"
    for sensor in sorted(defs.sensors or (), key=lambda sensor: sensor.name):
        every = sensor.minimum_interval_seconds
        yield f"sensor {sensor.name}: every {every} s, {sensor.default_status.value.lower()}"
    for name in sorted(defs.resources or ()):
        yield f"resource {name}"


if __name__ == "__main__":
    PAGE.write_text(page(shipped))
