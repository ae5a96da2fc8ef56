"""The load balancer in front of the service, and whether it finds its targets well; it tells its target groups."""

from collections import Counter
from datetime import datetime

from firstwatch.model import Finding, Findings, Json
from firstwatch.probes.probe import Probe, probe
from firstwatch.systems import Systems, aws

SETTING = "aws.load_balancer"


def _balancer(systems: Systems) -> Json:
    where = systems.settings.aws
    return aws.ask(systems.deck, where, "describe_load_balancers", Names=[where.load_balancer])["LoadBalancers"][0]


@probe(
    "Is the load balancer up?",
    about="LoadBalancer//",
    expected="active",
    command="aws elbv2 describe-load-balancers",
    setting=SETTING,
)
def load_balancer(self: Probe, systems: Systems, now: datetime) -> Findings:
    found = _balancer(systems)
    state = found["State"]["Code"]
    zones = ", ".join(sorted(each["ZoneName"] for each in found.get("AvailabilityZones", ())))
    account = found["LoadBalancerArn"].split(":")[4]
    said = f"{state}, {found['Scheme']}, {zones}, account {account}"
    words = {"object": f"LoadBalancer//{found['LoadBalancerName']}", "resource": found["LoadBalancerArn"]}
    if state in ("active", "active_impaired"):
        return self.ok(systems, said, **words)
    return Findings((self.bad(systems, "targets-missing", said, **words),))


@probe(
    "Are its targets healthy?",
    about="LoadBalancer//",
    expected="every target healthy",
    command="aws elbv2 describe-target-health",
    setting=SETTING,
)
def targets(self: Probe, systems: Systems, now: datetime) -> Findings:
    where = systems.settings.aws
    groups = [where.target_group] if where.target_group else _groups(systems)
    return Findings(_group(self, systems, each) for each in groups) or self.unknown(systems, "it has no target group")


def _groups(systems: Systems) -> list[str]:
    arn = _balancer(systems)["LoadBalancerArn"]
    told = aws.ask(systems.deck, systems.settings.aws, "describe_target_groups", LoadBalancerArn=arn)
    return [each["TargetGroupArn"] for each in told["TargetGroups"]]


def _group(self: Probe, systems: Systems, arn: str) -> Finding:
    told = aws.ask(systems.deck, systems.settings.aws, "describe_target_health", TargetGroupArn=arn)
    health = [each["TargetHealth"] for each in told["TargetHealthDescriptions"]]
    name = arn.rpartition("targetgroup/")[2].partition("/")[0]
    words = {"object": f"TargetGroup//{name}", "resource": arn}
    if not health:
        return self.bad(systems, "targets-missing", "no target is registered", **words)
    well = sum(each["State"] == "healthy" for each in health)
    reasons = Counter(each.get("Reason", each["State"]) for each in health if each["State"] != "healthy")
    why = ", ".join(f"{reason} {count} times" for reason, count in sorted(reasons.items()))
    said = f"{well} of {len(health)} healthy" + (f": {why}" if why else "")
    ok = self.ok(systems, said, **words)[0]
    return ok if well == len(health) else self.bad(systems, "targets-unhealthy", said, **words)
