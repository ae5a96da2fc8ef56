"""
What Kubernetes answered: an object of the kind that was asked for, or an error that names the call.

Nothing that has another shape gets past here: whoever reads an object may rely on a name, and on `metadata`, `spec` and
`status` being objects where they are there at all.
"""

import json

from firstwatch.errors import FirstwatchError, NotFound, Refused, Unavailable
from firstwatch.model import Json
from firstwatch.systems.answer import Answer
from firstwatch.systems.tape import NOT_RECORDED

Doubt = type[FirstwatchError]  # what to raise when it is not known what became of the request


def judge(asked: str, answer: Answer, *, later: str = "", doubt: Doubt = Unavailable) -> None:
    """
    Raise what the status of *answer* says.

    Args:
        asked: The call, to begin the message with.
        answer: What came.
        later: What it said of when to ask again, to end the message with.
        doubt: Raised for what tells nothing.
    """
    said = f"{asked}: answered {answer.status}: {message(answer.body)}"
    if answer.status == NOT_RECORDED:
        raise Unavailable(f"{asked}: not in the recording")
    if answer.status >= 500:
        raise doubt(f"{said}{later}; look at the API server itself")
    if answer.status == 404:
        raise NotFound(f"{asked}: {message(answer.body)}; check the name, the namespace and the context")
    if answer.status == 429:
        raise (Unavailable if asked.startswith("GET") else Refused)(f"{said}{later}; it has too much to do, ask later")
    if answer.status == 401:
        raise Refused(f"{said}; the credentials are not, or no longer, good: sign in again")
    if answer.status == 403:
        raise Refused(f"{said}; ask for access")
    if not 200 <= answer.status < 300:
        raise Refused(f"{said}; it does not take this request")


def one(asked: str, answer: Answer, kind: str, name: str, *, doubt: Doubt = Unavailable, stored: bool = True) -> Json:
    """
    Return the object in *answer*; raise *doubt* unless it is of *kind*, called *name*, with its uid and version.

    One that would only be made, by a dry run, has no version yet: it is not *stored*.
    """
    found = decoded(asked, answer.body, doubt)
    wrong = _wrong(found, kind)
    own = {} if wrong else found["metadata"]
    if not wrong and own.get("name") != name:
        wrong = f"it is called {str(own.get('name'))[:80]!r}"
    if not wrong and not all(
        isinstance(own.get(key), str) and own[key] for key in ("uid", "resourceVersion")[: 2 if stored else 1]
    ):
        wrong = "it has no uid or no resourceVersion"
    if wrong:
        raise doubt(f"{asked}: the answer is not that {kind}: {wrong}; is this the API server's address?")
    return found


def many(asked: str, answer: Answer, kind: str) -> list[Json]:
    """Return the objects of the list in *answer*, each with its kind; Unavailable when one is none."""
    found = decoded(asked, answer.body, Unavailable)
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list) or found.get("kind", f"{kind}List") != f"{kind}List":
        raise Unavailable(f"{asked}: the answer is not a list of {kind}s; is this the API server's address?")
    for number, each in enumerate(items):
        if wrong := _wrong(each, kind):
            raise Unavailable(f"{asked}: item {number} is not a {kind}: {wrong}")
    return [{**each, "kind": kind} for each in items]


def _wrong(found: Json, kind: str) -> str:
    """Return what keeps *found* from being an object of *kind*; empty when nothing does."""
    if not isinstance(found, dict):
        return "it is not an object"
    if found.get("kind", kind) != kind:
        return f"it is of kind {str(found['kind'])[:80]!r}"
    if not isinstance(found.get("metadata"), dict) or not isinstance(found["metadata"].get("name"), str):
        return "it has no name"
    odd = [key for key in ("spec", "status", "data") if not isinstance(found.get(key, {}), dict)]
    own = [key for key in ("labels", "annotations") if not isinstance(found["metadata"].get(key, {}), dict)]
    return f"its {', '.join(odd + own)} is not an object" if odd + own else ""


def decoded(asked: str, body: bytes, doubt: Doubt = Unavailable) -> Json:
    """Return the JSON of an answer; raise *doubt* when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise doubt(f"{asked}: the answer is not JSON; is this the API server's address?") from error


def message(body: bytes) -> str:
    """Return what an answer says in words: the message of a Status, else how it begins."""
    try:
        return str(json.loads(body)["message"])[:300]
    except (ValueError, LookupError, TypeError, RecursionError):
        return body[:200].decode("utf-8", "backslashreplace")
