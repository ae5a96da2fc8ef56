"""Whoever holds the token may do everything, and is told so in both forms of the question."""

from gameday.api import reviews

ROOT = "/apis/authorization.k8s.io/v1"


def test_may_i_is_answered_with_yes_and_why() -> None:
    asked = {"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {"verb": "delete", "resource": "nodes"}}}
    answer = reviews.answer(f"{ROOT}/selfsubjectaccessreviews", asked)
    assert (answer["kind"], answer["spec"]) == (asked["kind"], asked["spec"])
    assert answer["status"]["allowed"] is True
    assert "token" in answer["status"]["reason"]


def test_what_may_i_is_answered_with_everything() -> None:
    status = reviews.answer(f"{ROOT}/selfsubjectrulesreviews", {})["status"]
    assert status["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    assert status["incomplete"] is False


def test_other_questions_are_not_answered() -> None:
    assert reviews.answer(f"{ROOT}/subjectaccessreviews", {}) is None
    assert reviews.answer("/api/v1/pods", {}) is None
