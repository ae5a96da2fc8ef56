"""The page of the checks says what the checks say."""

from . import checks, table

ALL = checks.load()


def test_the_page_has_a_row_for_each_check_in_their_order() -> None:
    assert table.rows_of(table.PAGE.read_text()) == [check.id for check in ALL]


def test_the_page_has_a_sentence_for_each_known_difference() -> None:
    text = table.PAGE.read_text()
    assert all(why in text for check in ALL for why in check.known.values())


def test_a_check_that_differs_without_being_known_shows_in_the_table() -> None:
    (check, *_), passed = ALL, {each.id: True for each in ALL}
    results = {"ours": passed | {check.id: False}, "real": passed, "old": {}}
    text = table.page(ALL, results, {"modern": "v1", "old": "v0"})
    assert f"- **ours**: {len(ALL) - 1} of {len(ALL)} pass" in text
    assert "| **differs** | passes | – |" in text


def test_a_difference_on_the_committed_page_is_a_known_one() -> None:
    differs = {line.split("`")[1] for line in table.PAGE.read_text().splitlines() if "**differs**" in line}
    assert differs == {check.id for check in ALL if check.known}
