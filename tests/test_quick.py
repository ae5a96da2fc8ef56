"""The quick card's commands: each is its runbook, asks two questions at most, and none without a terminal."""

import pytest

from firstwatch.cli.quick import ASKED, BOOKS, Word, _given
from firstwatch.runs import catalog, parameters


@pytest.mark.parametrize("word", list(Word))
def test_a_word_of_the_card_is_a_runbook_that_takes_what_is_asked(word: Word) -> None:
    book = catalog.find(BOOKS[word])
    known = {each.name for each in parameters.declared(book)}
    assert word not in ASKED or ASKED[word][0] in known


@pytest.mark.parametrize("word", list(Word))
def test_without_a_terminal_nothing_is_asked(word: Word) -> None:
    given = _given(word, "", asks=False)
    assert given == ([f"{ASKED[word][0]}={ASKED[word][2]}"] if word in ASKED else [])


def test_a_value_that_was_typed_is_taken_without_a_question() -> None:
    assert _given(Word.SCALE, "7", asks=True) == ["replicas=7"]
