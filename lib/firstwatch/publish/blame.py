"""
Words of blame, in a text that is to say what happened and what made it possible. Pure.

Two kinds: words that speak of fault whoever is meant, and people, by name or by trade, as those who did something
wrong.
"""

import re
from collections.abc import Iterable, Iterator

_FAULT = (
    r"\bblam(?:e|ed|es|ing)\b",
    r"\b(?:at|in) fault\b",
    r"\bfault of\b",
    r"['’]s (?:fault|mistake|error|carelessness)\b",
    r"\b(?:his|her|their|my|your) (?:fault|mistake|error)\b",
    r"\b(?:human|operator|user|engineer|pilot|manual) error\b",
    r"\b(?:careless|negligen|incompeten|sloppy|stupid|irresponsib|inattenti)",
    r"\blazy\b",
    r"\bforgot(?:ten)?\b",
    r"\bmistaken?ly\b",
    r"\bby mistake\b",
    r"\b(?:messed|screwed) up\b",
    r"\bshould(?:n['’]t| not)? have\b",
    r"\bought to have\b",
    r"\bcould easily have\b",
    r"\bif only\b",
    r"\bfailed to follow\b",
    r"\bdidn['’]t bother\b",
    r"\bnot paying attention\b",
    r"\b(?:should know|knew) better\b",
)
_TRADES = (
    "engineer", "developer", "operator", "admin", "administrator", "contractor", "intern", "colleague", "employee",
    "reviewer", "manager", "someone", "somebody",
)  # fmt: skip
_GROUPS = ("team", "vendor", "he", "she", "they")
_VERBS = (
    "broke", "caused", "failed to", "deleted", "dropped", "misconfigured", "mis-?typed", "neglected", "ignored",
    "overlooked", "skipped", "missed", "took down", "took too long", "ran the wrong", "is to blame",
    "pushed (?:a|the) (?:bad|broken|wrong)", "made (?:a|the) mistake",
    "did(?:n['’]t| not) (?:check|test|read|notice|follow|look|bother|think)",
    "was (?:careless|wrong|negligent|too slow|sloppy|asleep)",
)  # fmt: skip
_BEFORE = ("because of", "thanks to", "due to", "caused by", "fault lies with", "on account of")
_FAULTS = re.compile("|".join(_FAULT), re.IGNORECASE)


def blame(text: str, names: Iterable[str]) -> Iterator[str]:
    """Yield each place of *text* that blames somebody; *names* are of those who took part."""
    for pattern in (_FAULTS, _people(names)):
        yield from (" ".join(each[0].split()) for each in pattern.finditer(text))


def _people(names: Iterable[str]) -> re.Pattern[str]:
    known = [f"@?{re.escape(each)}" for each in sorted(set(names), key=len, reverse=True) if len(each) > 1]
    article = r"(?:the |an? |our |one )?(?:on-call |new |senior |junior )?"
    one = [*known, rf"{article}(?:{'|'.join(_TRADES)})s?"]
    several = [*one, rf"{article}(?:{'|'.join(_GROUPS)})s?"]
    did = rf"(?<![\w-])(?:{'|'.join(several)})(?:\s+\w+)?\s+(?:\w+ly )?(?:{'|'.join(_VERBS)})\b"
    owed = rf"\b(?:{'|'.join(_BEFORE)})\s+(?:{'|'.join(one)})(?![\w-])"
    return re.compile(f"{did}|{owed}", re.IGNORECASE)
