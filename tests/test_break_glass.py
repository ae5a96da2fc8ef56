"""After the glass was broken: it waits, everywhere, until somebody else has reviewed it."""

import json

import pytest
from test_people_commands import Phone, typed  # noqa: F401  # a fixture


@pytest.fixture
def broken(typed: Phone) -> tuple[Phone, str]:  # noqa: F811
    """A declared incident in which on-call broke the glass for the plan that is returned too."""
    typed("declare", "API errors", "--impact", "6 of 10 requests fail", "--severity", "SEV3")
    typed("run", "mitigate/rollback")
    (plan,) = typed.state().plans
    typed("break-glass", plan.hash, "--reason", "alone on call tonight")
    return typed, plan.hash


def page(at: Phone) -> str:
    return next((at.folder / "incidents").glob("*/page.md")).read_text()


def test_a_review_by_somebody_else_ends_the_waiting_in_the_status_on_the_page_and_at_the_gate_to_closing(
    broken: tuple[Phone, str],
) -> None:
    at, plan = broken
    assert "It waits for a review." in page(at)
    assert f"waits for a review: firstwatch review {plan} TEXT" in at("status").out
    at("resolve", "rolled back", "--cause", "a bad release")
    overridden = ("close", "--override", "--reason", "a drill")
    assert f"nobody has reviewed it: firstwatch review {plan} TEXT" in at(*overridden, code=3).err
    said = json.loads(at("review", plan[:6], "it was right", "--json", acting_as="responder-2").out)
    assert (said["plan"], said["text"], said["by"]) == (plan, "it was right", "responder-2")
    assert "waits" not in page(at)
    assert "Reviewed by responder-2: it was right" in page(at)
    shown = at("status", said["incident"]).out
    assert ("waits for a review" in shown, "reviewed by responder-2: it was right" in shown) == (False, True)
    (glass,) = json.loads(at("status", said["incident"], "--json").out)["broken_glass"]
    assert (glass["by"], glass["reviewed_by"], glass["review"]) == ("on-call", "responder-2", "it was right")
    assert "closed" in at(*overridden).out


def test_whoever_broke_the_glass_cannot_review_it_nor_anybody_twice_or_something_else(
    broken: tuple[Phone, str],
) -> None:
    at, plan = broken
    assert "somebody else has to review it" in at("review", plan, "fine", acting_as="ON-CALL", code=3).err
    near = plan[:-1] + ("0" if plan[-1] != "0" else "1")
    assert f"did you mean {plan}?" in at("review", near, "fine", acting_as="responder-2", code=2).err
    assert "TEXT is empty" in at("review", plan, " ", acting_as="responder-2", code=2).err
    assert [each.waits for each in at.state().broken] == [True]
    at("review", plan, "it was right", acting_as="responder-2")
    again = at("review", plan, "it was right", acting_as="responder-3", code=2).err
    assert "is reviewed already, by responder-2" in again
    assert [each.kind for each in at.state().timeline].count("reviewed") == 1


def test_the_glass_that_is_broken_again_waits_anew(broken: tuple[Phone, str]) -> None:
    at, plan = broken
    at("review", plan, "it was right", acting_as="responder-2")
    at("break-glass", plan, "--reason", "and once more, alone", acting_as="responder-2")
    assert [each.waits for each in at.state().broken] == [False, True]
    assert "somebody else" in at("review", plan, "fine", acting_as="responder-2", code=3).err
