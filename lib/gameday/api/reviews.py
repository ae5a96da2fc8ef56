"""
Access reviews: "may I?", which `kubectl auth can-i` and preflight checks ask.

The answer is always yes: who holds the token of this server owns the world that it keeps. What a real cluster would
refuse is the real control plane's matter.
"""

from firstwatch.model import Json

ROOT = "/apis/authorization.k8s.io/v1/"
REASON = "the holder of this world's token may do everything in it"


def answer(path: str, body: Json) -> Json | None:
    """Return the review at *path* with its answer, or None when no review is kept there."""
    status = _ANSWERS.get(path.removeprefix(ROOT))
    return {**body, "status": status} if status else None


_RULES = {
    "incomplete": False,
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}
_ANSWERS = {
    "selfsubjectaccessreviews": {"allowed": True, "reason": REASON},
    "selfsubjectrulesreviews": _RULES,
}
