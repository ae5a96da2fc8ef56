"""
Redaction: what looks like a secret is replaced before it reaches the disk.

Patterns of known shapes, and values under names that say what they are. It works on whole values, so that a secret is
not seen in halves.
"""

import re

from firstwatch.model import Json

REDACTED = "[redacted]"
_NAMES = re.compile(r"(?i)^(.*[-_.])?(password|passwd|secret|token|api[-_]?key|authorization|cookie|private[-_]?key)$")
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"  # user and password in an address
    r"|(?i:\b(bearer|basic)\s+)[A-Za-z0-9._~+/=-]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:ghp|gho|ghs|github_pat|xox[abprs]|sk|pk)[-_][A-Za-z0-9_-]{16,}"
    r"|(?i:\b(?:password|passwd|secret|token|api[-_]?key)\s*[=:]\s*)[^\s,;\"'&]{4,}",
    re.DOTALL,
)


def redacted(value: Json) -> Json:
    """Return *value* with every secret that is recognised replaced, at any depth."""
    if isinstance(value, str):
        return _SHAPES.sub(REDACTED, value)
    if isinstance(value, dict):
        return {key: REDACTED if _secret(key, item) else redacted(item) for key, item in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value


def _secret(name: str, value: Json) -> bool:
    return isinstance(value, str) and bool(value) and bool(_NAMES.match(name))
