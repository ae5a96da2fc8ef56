"""The fault programme at a twentieth of its counts, a test each row: nothing may be bad."""

import os
import shutil

import pytest

from faults import mutations, programme, promises

TWENTIETH = 0.05
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.mark.parametrize("row", programme.rows(), ids=lambda row: row.id)
def test_nothing_is_bad(row: programme.Row) -> None:
    if row.needs and not shutil.which(row.needs):
        (pytest.fail if os.environ.get("FIRSTWATCH_REQUIRE_TOOLS") == "1" else pytest.skip)(f"needs {row.needs}")
    figure = programme.tried(row, TWENTIETH, lambda number: None)
    assert (figure.bad, figure.tried > 0) == (0, True), figure.note


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.id)
def test_each_mutation_still_applies(mutation: mutations.Mutation) -> None:
    assert mutation.applies(mutations.ROOT)


@pytest.mark.parametrize("promise", promises.PROMISES, ids=lambda promise: promise.id)
def test_each_promise_has_rows_and_its_page_has_their_figures(promise: promises.Promise) -> None:
    shown = promises.PAGE.read_text("utf-8")
    assert set(promise.rows) <= {row.id for row in programme.rows()}
    assert f"| {promise.id} | {promise.text} |" in shown
    assert not [row for row in promise.rows if f"\n| {row} |" not in shown]
