"""What keeps pods running: how many are wanted, how many are there, and of which release."""

from collections.abc import Mapping
from datetime import datetime

from firstwatch.model import Json
from gameday import timestamps
from gameday.api.rows.column import (
    NONE,
    UNSET,
    Layout,
    age,
    columns,
    containers,
    duration,
    name,
    pairs,
    selector,
    since,
)

DAEMON_COUNTS = (
    "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable"
)  # fmt: skip


def _deployment(item: Json, now: datetime) -> list[Json]:
    spec, told = item["spec"], item.get("status") or {}
    return [
        name(item), _of(told.get("readyReplicas", 0), spec), told.get("updatedReplicas", 0),
        told.get("availableReplicas", 0), age(item, now), *containers(spec["template"]), selector(spec["selector"]),
    ]  # fmt: skip


def _replica_set(item: Json, now: datetime) -> list[Json]:
    spec, told = item["spec"], item.get("status") or {}
    return [
        name(item), spec.get("replicas", 1), told.get("replicas", 0), told.get("readyReplicas", 0), age(item, now),
        *_template(spec),
    ]  # fmt: skip


def _stateful_set(item: Json, now: datetime) -> list[Json]:
    spec, told = item["spec"], item.get("status") or {}
    return [name(item), _of(told.get("readyReplicas", 0), spec), age(item, now), *containers(spec["template"])]


def _daemon_set(item: Json, now: datetime) -> list[Json]:
    spec, told = item["spec"], item.get("status") or {}
    where = pairs(spec["template"]["spec"].get("nodeSelector"))
    counts = [told.get(each, 0) for each in DAEMON_COUNTS]
    return [name(item), *counts, where, age(item, now), *_template(spec)]


def _job(item: Json, now: datetime) -> list[Json]:
    return [
        name(item),
        _job_status(item),
        _completions(item),
        _took(item, now),
        age(item, now),
        *_template(item["spec"]),
    ]


def _job_status(job: Json) -> str:
    holding = {
        each["type"] for each in (job.get("status") or {}).get("conditions") or [] if each["status"] == "True"
    }  # fmt: skip
    for ended in ("Complete", "Failed"):
        if ended in holding:
            return ended
    if "deletionTimestamp" in job["metadata"]:
        return "Terminating"
    others = ("Suspended", "FailureTarget", "SuccessCriteriaMet")
    return next((each for each in others if each in holding), "Running")


def _completions(job: Json) -> str:
    spec, done = job["spec"], (job.get("status") or {}).get("succeeded", 0)
    if "completions" in spec:
        return f"{done}/{spec['completions']}"
    parallel = spec.get("parallelism", 0)
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _took(job: Json, now: datetime) -> str:
    told = job.get("status") or {}
    if not told.get("startTime"):
        return ""
    end = timestamps.parse(told["completionTime"]) if told.get("completionTime") else now
    return duration((end - timestamps.parse(told["startTime"])).total_seconds())


def _cron_job(item: Json, now: datetime) -> list[Json]:
    spec, told = item["spec"], item.get("status") or {}
    suspend = str(spec["suspend"]) if "suspend" in spec else UNSET
    last = since(told["lastScheduleTime"], now) if told.get("lastScheduleTime") else NONE
    active = len(told.get("active") or [])
    return [
        name(item), spec["schedule"], spec.get("timeZone", NONE), suspend, active, last, age(item, now),
        *_template(spec["jobTemplate"]["spec"]),
    ]  # fmt: skip


def _revision(item: Json, now: datetime) -> list[Json]:
    owners = [each for each in item["metadata"].get("ownerReferences") or [] if each.get("controller")]
    return [name(item), _controller(owners[0]) if owners else NONE, item.get("revision", 0), age(item, now)]


def _controller(owner: Json) -> str:
    group = owner["apiVersion"].rpartition("/")[0]
    return f"{owner['kind']}.{group}".rstrip(".").lower() + f"/{owner['name']}"


def _of(ready: int, spec: Json) -> str:
    return f"{ready}/{spec.get('replicas', 1)}"


def _template(spec: Json) -> list[Json]:
    return [*containers(spec["template"]), selector(spec.get("selector"))]


_TEMPLATE = "Containers*, Images*, Selector*"
LAYOUTS: Mapping[str, Layout] = {
    "deployments": Layout(columns(f"Name, Ready, Up-to-date, Available, Age, {_TEMPLATE}"), _deployment),
    "replicasets": Layout(
        columns(f"Name, Desired:integer, Current:integer, Ready:integer, Age, {_TEMPLATE}"), _replica_set
    ),
    "statefulsets": Layout(columns("Name, Ready, Age, Containers*, Images*"), _stateful_set),
    "daemonsets": Layout(
        columns(
            "Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, "
            f"Node Selector, Age, {_TEMPLATE}"
        ),
        _daemon_set,
    ),
    "jobs": Layout(columns(f"Name, Status, Completions, Duration, Age, {_TEMPLATE}"), _job),
    "cronjobs": Layout(
        columns(f"Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, {_TEMPLATE}"),
        _cron_job,
    ),
    "controllerrevisions": Layout(columns("Name, Controller, Revision, Age"), _revision),
}
