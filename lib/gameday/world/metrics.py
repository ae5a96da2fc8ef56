"""
What Prometheus is told: whom to scrape, and the rules. The same files serve a real one and ours.

The recorded series has the procedures' name, which says five minutes; its window here is ten seconds, so that a cure
shows in ten seconds and not in five minutes. Every page of a game day says so.
"""

from pathlib import Path

import yaml

from firstwatch.model import Json

SERVICE = "claude-deployment-api"
ERROR_RATE = "claude_deployment:api_error_rate_5m"
ALERT = "ClaudeDeploymentApiErrorRateHigh"
WINDOW = "10s"
_OF_SERVICE = f'job="{SERVICE}"'
REQUESTS = f"sum(rate(http_requests_total{{{_OF_SERVICE}}}[{WINDOW}]))"
LATENCY = (
    f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{_OF_SERVICE}}}[{WINDOW}])))"
)
_VERSION = f"* on (instance) group_left (version) build_info{{{_OF_SERVICE}}}"
ERROR_RATE_BY_VERSION = (
    f'sum by (version) (rate(http_requests_total{{{_OF_SERVICE},code=~"5.."}}[{WINDOW}]) {_VERSION})'
    f" / sum by (version) (rate(http_requests_total{{{_OF_SERVICE}}}[{WINDOW}]) {_VERSION})"
)


def write(folder: Path, discovery_url: str) -> Path:
    """Write the configuration and its rules into *folder* and return the configuration's path."""
    folder.mkdir(parents=True, exist_ok=True)
    rules, configuration = folder / "rules.yml", folder / "prometheus.yml"
    rules.write_text(yaml.safe_dump(_rules(), sort_keys=False))
    configuration.write_text(yaml.safe_dump(_configuration(rules, discovery_url), sort_keys=False))
    return configuration


def _configuration(rules: Path, discovery_url: str) -> Json:
    job = {"job_name": SERVICE, "http_sd_configs": [{"url": discovery_url, "refresh_interval": "1s"}]}
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [job],
    }


def _rules() -> Json:
    rate = f'rate(http_requests_total{{job="{SERVICE}"%s}}[{WINDOW}])'
    failing, all_ = rate % ',code=~"5.."', rate % ""
    recorded = {"record": ERROR_RATE, "expr": f"sum({failing}) / sum({all_})"}
    told = {
        "summary": "Requests to the API fail.",
        "description": "{{ $value }} of all requests fail, as a share from 0 to 1.",
        "runbook": "investigate/first-five-minutes",
    }
    alert = {"alert": ALERT, "expr": f"{ERROR_RATE} > 0.05", "for": "2s", "labels": {"severity": "page"}}
    return {"groups": [{"name": SERVICE, "rules": [recorded, alert | {"annotations": told}]}]}
