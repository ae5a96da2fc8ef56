"""
The triage tree: a few yes-or-no questions, the most dangerous first.

A question that was not answered is not a no. Once the tree was begun, the worst leaf that is still open counts, up to
what is graded when nothing is known; before that the tree says nothing.
"""

from collections.abc import Mapping

from firstwatch.errors import BadParameter, nearest
from firstwatch.model import Severity
from firstwatch.policy.tables import Policy, Question

Answers = Mapping[str, bool]


def triage(policy: Policy, answers: Answers) -> tuple[Severity | None, tuple[str, ...]]:
    """
    Return the severity that *answers* lead to, and the path taken, one line a question.

    The severity is None when no question of the tree was answered, and none of those before it with yes.
    """
    path = []
    for each in policy.triage.first:
        path += [said(each, answers)] if each.answer in answers else []
        if answers.get(each.answer):
            return each.yes, tuple(path)
    severity, steps = _tree(policy, answers)
    return severity, (*path, *steps)


def _tree(policy: Policy, answers: Answers) -> tuple[Severity | None, tuple[str, ...]]:
    """Walk the tree as far as it was answered; a yes further down is walked to."""
    path: list[str] = []
    tree = [each for each in policy.triage.tree if each.answer in answers]
    for each in policy.triage.tree:
        if each.answer in answers:
            path.append(said(each, answers))
            if answers[each.answer]:
                return each.yes, tuple(path)
        elif not any(answers[later.answer] for later in tree):
            return _open(policy, each, answers, path) if tree else (None, ())
    return policy.triage.otherwise, tuple(path)


def _open(policy: Policy, at: Question, answers: Answers, path: list[str]) -> tuple[Severity, tuple[str, ...]]:
    """Return where the walk stands at a question that is still open: no worse than if nothing at all were known."""
    return max(at.yes, policy.triage.unknown), (*path, f"{said(at, answers)}: the worst that is open counts")


def said(question: Question, answers: Answers) -> str:
    words = {True: "yes", False: "no", None: "not answered"}
    return f"{question.question} {words[answers.get(question.answer)]}"


def questions(policy: Policy) -> tuple[Question, ...]:
    """Return what is asked, in order."""
    return (*policy.triage.first, *policy.triage.tree)


def names(policy: Policy) -> tuple[str, ...]:
    """Return every name that can be answered: the questions', then the criteria's own, each once."""
    criteria = (rule.answer for level in policy.levels.values() for rule in level.rules if rule.answer)
    return tuple(dict.fromkeys((*(each.answer for each in questions(policy)), *criteria)))


def answer(policy: Policy, text: str) -> tuple[str, bool]:
    """Return the name and the value in *text*, `NAME=yes` or `NAME=no`; BadParameter with the nearest name."""
    name, _, value = text.partition("=")
    known = names(policy)
    if name not in known:
        raise BadParameter(f"--answer {name!r} is not a question; {nearest(name, list(known))}")
    if value not in ("yes", "no"):
        raise BadParameter(f"--answer {name}={value}: yes or no")
    return name, value == "yes"
