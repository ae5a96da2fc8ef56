"""What the query language means, where no number shows it: trees, refusals, literals."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.prometheus import labelset, language, lexer
from gameday.prometheus.lexer import BadQuery
from gameday.prometheus.syntax import Binary, Matcher, Matching, Negative, Node, Number, Selector


def written(node: Node) -> str:
    """Return *node* with a bracket around every operation."""
    match node:
        case Binary():
            return f"({written(node.left)} {node.operator} {written(node.right)})"
        case Negative():
            return f"(-{written(node.operand)})"
        case Number():
            return f"{node.value:g}"
        case Selector():
            return node.matchers[0].value
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("a - b - c", "((a - b) - c)"),
        ("a ^ b ^ c", "(a ^ (b ^ c))"),
        ("-1 ^ 2", "(-(1 ^ 2))"),
        ("2 ^ -1 * 3", "((2 ^ (-1)) * 3)"),
        ("-a * b", "((-a) * b)"),
        ("a + b * c % d", "(a + ((b * c) % d))"),
        ("a or b and c unless d", "(a or ((b and c) unless d))"),
        ("a > b + 1 == c", "((a > (b + 1)) == c)"),
        ("A or (b or c)", "(A or (b or c))"),
        ("a # a remark\n + b", "(a + b)"),
        ("0x10 + 1e3 + .5", "((16 + 1000) + 0.5)"),
        ("a OR b", "(a or b)"),
    ],
)
def test_operators_bind_as_in_prometheus(query, tree) -> None:
    assert written(language.parse(query)) == tree


def test_a_selector_has_its_matchers_range_and_offset() -> None:
    assert language.parse("up{job=~'a|b', zone!=\"\",}[1h30m] offset -5s") == Selector(
        (Matcher("__name__", "=", "up"), Matcher("job", "=~", "a|b"), Matcher("zone", "!=", "")), 5_400_000, -5_000
    )


def test_a_match_says_which_side_may_have_several() -> None:
    node = language.parse("a * on (x, by) group_right (y) b")
    assert isinstance(node, Binary)
    assert node.matching == Matching(on=True, labels=("x", "by"), many="right", include=("y",))


def test_words_of_the_language_may_be_metrics_and_labels() -> None:
    assert language.parse("count{by='1'}") == Selector((Matcher("__name__", "=", "count"), Matcher("by", "=", "1")))


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("stddev(up)", "unknown function with name 'stddev'"),
        ("stdvar by (a) (up)", "unknown aggregation 'stdvar'"),
        ("up @ 5", "the @ modifier is not supported"),
        ("rate(up[5m:1m])", "subqueries are not supported"),
        ("rate(sum(up)[5m])", "subqueries are not supported"),
        ("(up)[5m]", "subqueries are not supported"),
        ("a atan2 b", "'atan2'"),
        ("sum(up) offset 5m", "offset modifier must be preceded by a selector"),
        ("up[5]", "expected a duration"),
        ("up[0s]", "duration must be greater than 0"),
        ("up[1m1h]", "is no time span"),
        ("rate(up[5m], 2)", "expected 1 argument"),
        ("up{a=~'(?=b)'}", "not supported"),
        ("up{a=~'(b)\\\\1'}", "not supported"),
        ("up{a=~'b*+'}", "not supported"),
        ("up{a=~'('}", "regular expression"),
        ("up{a=1}", "in label matching"),
        ("up{a='b'", "expected ',' or '}'"),
        ("up{__name__='down'}", "metric name must not be set twice"),
        ("'\\q'", "unknown escape sequence"),
        ("'\\\"'", "unknown escape sequence"),
        ("on + 1", "unexpected name 'on'"),
        ("abs(up,)", "trailing commas not allowed"),
        ("'open", "unexpected character"),
        ("a\n  b", "2:3: parse error"),
        ("a ! b", "unexpected character"),
        ("a + on (b) group_left (b) c", "must not occur in ON and GROUP"),
        ("a and on (b) group_left () c", "no grouping allowed"),
        ("1 + on (b) c", "vector matching only allowed between instant vectors"),
        ("(" * 60 + "a" + ")" * 60, "within each other"),
        ("+".join("a" * 200), "more than 150 operators"),
        ("a" * 20_001, "more than 20000 characters"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(query, problem) -> None:
    with pytest.raises(BadQuery) as refused:
        language.parse(query)
    assert problem in str(refused.value)


@given(st.text())
def test_a_label_value_that_is_written_as_a_literal_is_read_back(value) -> None:
    assert lexer.unquote(labelset.quote(value)) == value
    node = language.parse(f"up{{a={labelset.quote(value)},b='c'}}")
    assert isinstance(node, Selector)
    assert node.matchers[1] == Matcher("a", "=", value)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else(query) -> None:
    with contextlib.suppress(BadQuery):
        language.parse(query)


@given(st.lists(st.sampled_from(["a", "(", ")", "{", "}", "+", "-", "sum", "by", "1", "[5m]", "'x'", ",", "=", "^"])))
def test_any_row_of_words_is_read_or_refused_and_nothing_else(words) -> None:
    with contextlib.suppress(BadQuery):
        language.parse(" ".join(words))
