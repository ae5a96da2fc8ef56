"""
Read a query into its tree, with Prometheus' precedence, associativity and checks of kinds.

From weakest: `or` · `and`, `unless` · comparisons · `+`, `-` · `*`, `/`, `%` · unary signs · `^`, which alone binds to
the right. What the language has and we do not (subqueries, `@`, `atan2`, other functions) is refused by its name.
"""

from collections.abc import Callable
from typing import NoReturn, TypeVar

from gameday.prometheus import moments, number
from gameday.prometheus.labelset import NAME
from gameday.prometheus.lexer import BadQuery, Token, refuse, tokens
from gameday.prometheus.syntax import (
    COMPARISONS,
    NUMERIC,
    SIGNATURES,
    Aggregate,
    Binary,
    Call,
    Kind,
    Matcher,
    Matching,
    Negative,
    Node,
    Number,
    Selector,
    Text,
    kind,
    pattern,
    problem,
)

T = TypeVar("T")

LEVELS = {
    "or": 1, "and": 2, "unless": 2, **dict.fromkeys(COMPARISONS, 3), "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6,
}  # fmt: skip
POWER = LEVELS["^"]
AGGREGATES = {"sum", "avg", "min", "max", "count", "group", "topk", "bottomk", "quantile"}
WITH_PARAMETER = {"topk": Kind.SCALAR, "bottomk": Kind.SCALAR, "quantile": Kind.SCALAR}
NEVER_METRICS = {"on", "ignoring", "group_left", "group_right", "bool", "atan2"}
# Reading and answering go as deep as the tree does, and Python ends at a thousand calls.
MOST_NESTED = 50
MOST_OPERATORS = 150


def parse(query: str) -> Node:
    """
    Return the tree of *query*.

    Raises:
        BadQuery: It is not of the language, or of a part that is not known here.
    """
    return _Parser(query).whole()


def selector(query: str) -> Selector:
    """Return *query*, which must be a plain selector, as `match[]` wants it."""
    node = parse(query)
    if not isinstance(node, Selector) or node.range_ms or node.offset_ms:
        raise BadQuery(f"{query!r} is no plain series selector")
    return node


class _Parser:
    def __init__(self, query: str) -> None:
        self._query, self._tokens, self._next = query, tokens(query), 0
        self._depth = self._operators = 0

    def whole(self) -> Node:
        if self._token.kind == "end":
            refuse(self._query, 0, "no expression found in input")
        node = self._expression(1)
        if self._token.kind != "end":
            self._unexpected()
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _word(self) -> str:
        """Return the next token in lower case when it is a name or a sign, for keywords know no case."""
        return self._token.text.lower() if self._token.kind in {"name", "sign"} else ""

    def _accept(self, *words: str) -> str:
        word = self._word()
        if word and word in words:
            self._next += 1
            return word
        return ""

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            self._unexpected(f", expected {word!r}")

    def _unexpected(self, wanted: str = "") -> NoReturn:
        token = self._token
        if token.text == "@":
            refuse(self._query, token.position, "the @ modifier is not supported")
        if token.text.lower() == "offset":
            refuse(self._query, token.position, "offset modifier must be preceded by a selector")
        refuse(self._query, token.position, f"unexpected {token.kind} {token.text!r}{wanted}")

    def _refuse(self, position: int, problem: str) -> NoReturn:
        refuse(self._query, position, problem)

    def _expression(self, level: int) -> Node:
        self._depth += 1
        if self._depth > MOST_NESTED:
            self._refuse(self._token.position, f"more than {MOST_NESTED} expressions within each other")
        left = self._unary()
        while (found := LEVELS.get(self._word(), 0)) >= level:
            left = self._binary(left, found if found == POWER else found + 1)
        self._depth -= 1
        return left

    def _unary(self) -> Node:
        position = self._token.position
        sign = self._accept("-", "+")
        if not sign:
            return self._primary()
        operand = self._expression(POWER)
        if kind(operand) not in NUMERIC:
            self._refuse(position, f"unary expression only allowed on scalar or instant vector, got {kind(operand)}")
        return Negative(operand) if sign == "-" else operand

    def _binary(self, left: Node, level: int) -> Binary:
        position, operator = self._token.position, self._take().text.lower()
        self._operators += 1
        if self._operators > MOST_OPERATORS:
            self._refuse(position, f"more than {MOST_OPERATORS} operators")
        returns_bool = bool(self._accept("bool"))
        matching = self._matching()
        node = Binary(operator, left, self._expression(level), matching, returns_bool)
        if wrong := problem(node):
            self._refuse(position, wrong)
        return node

    def _matching(self) -> Matching:
        way = self._accept("on", "ignoring")
        labels = self._names() if way else ()
        group = self._accept("group_left", "group_right") if way else ""
        include = self._names() if group and self._word() == "(" else ()
        return Matching(way == "on", labels, group.removeprefix("group_"), include)

    def _names(self) -> tuple[str, ...]:
        def name() -> str:
            if self._token.kind != "name" or ":" in self._token.text:
                self._unexpected(", expected a label name")
            return self._take().text

        self._expect("(")
        return self._several(name, ")")

    def _several(self, read: Callable[[], T], closing: str) -> tuple[T, ...]:
        """Return what *read* reads, separated by commas, up to *closing*. A last comma is allowed."""
        found: list[T] = []
        while not self._accept(closing):
            found.append(read())
            if not self._accept(",") and self._word() != closing:
                self._unexpected(f", expected ',' or {closing!r}")
        return tuple(found)

    def _arguments(self) -> list[Node]:
        self._expect("(")
        found = self._several(lambda: self._expression(1), ")")
        last = self._tokens[self._next - 2]
        if found and last.text == "," and last.kind == "sign":
            self._refuse(last.position, "trailing commas not allowed in function call args")
        return list(found)

    def _primary(self) -> Node:
        token = self._token
        if token.kind == "number":
            return Number(number.parse(self._take().text))
        if token.kind == "text":
            return Text(self._take().text)
        if self._accept("("):
            node = self._expression(1)
            self._expect(")")
            return self._no_range(node)
        if token.kind != "name" and token.text != "{":
            self._unexpected()
        return self._named()

    def _named(self) -> Node:
        token, after = self._token, self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        word, called = token.text.lower(), after.text == "(" and after.kind == "sign"
        grouped = after.kind == "name" and after.text.lower() in {"by", "without"}
        if word in AGGREGATES and (called or grouped):
            return self._no_range(self._aggregate())
        if called:
            return self._no_range(self._call())
        if token.kind == "name" and grouped:
            self._refuse(token.position, f"unknown aggregation {token.text!r}")
        if word in NEVER_METRICS:
            self._unexpected()
        if word in {"inf", "nan"} and after.text != "{":
            return Number(number.parse(self._take().text))
        return self._selector()

    def _no_range(self, node: Node) -> Node:
        if self._word() == "[":
            self._refuse(self._token.position, "subqueries are not supported; a range needs a selector before it")
        return node

    def _aggregate(self) -> Aggregate:
        position, operation = self._token.position, self._take().text.lower()
        way = self._accept("by", "without")
        labels = self._names() if way else ()
        arguments = self._arguments()
        if not way and (way := self._accept("by", "without")):
            labels = self._names()
        takes = [*([Kind.SCALAR] if operation in WITH_PARAMETER else []), Kind.VECTOR]
        self._check(position, operation, arguments, takes, 0)
        operand = arguments.pop()
        return Aggregate(operation, operand, arguments[0] if arguments else None, labels, way == "without")

    def _call(self) -> Call:
        token = self._take()
        signature = SIGNATURES.get(token.text)
        if signature is None:
            self._refuse(token.position, f"unknown function with name {token.text!r}")
        arguments = self._arguments()
        self._check(token.position, token.text, arguments, list(signature.takes), signature.optional)
        return Call(token.text, tuple(arguments))

    def _check(self, position: int, name: str, arguments: list[Node], takes: list[Kind], optional: int) -> None:
        if not len(takes) - optional <= len(arguments) <= len(takes):
            self._refuse(position, f"expected {len(takes)} argument(s) in call to {name!r}, got {len(arguments)}")
        for argument, wanted in zip(arguments, takes, strict=False):
            if kind(argument) != wanted:
                problem = f"expected type {wanted} in call to {name!r}, got {kind(argument)}"
                self._refuse(position, problem)

    def _selector(self) -> Selector:
        position, matchers = self._token.position, []
        if self._token.kind == "name":
            matchers.append(Matcher(NAME, "=", self._take().text))
        if self._accept("{"):
            matchers += self._several(self._matcher, "}")
        if sum(each.label == NAME for each in matchers) > 1 and matchers[0].label == NAME:
            self._refuse(position, "metric name must not be set twice")
        if all(each.holds(()) for each in matchers):
            self._refuse(position, "vector selector must contain at least one non-empty matcher")
        return Selector(tuple(matchers), self._range(), self._offset())

    def _matcher(self) -> Matcher:
        if self._token.kind != "name" or ":" in self._token.text:
            self._unexpected(", expected a label name")
        label = self._take().text
        operator = self._accept("=", "!=", "=~", "!~")
        if not operator or self._token.kind != "text":
            self._unexpected(" in label matching")
        position, value = self._token.position, self._take().text
        try:
            return Matcher(label, operator, value, pattern(value) if "~" in operator else None)
        except ValueError as error:
            self._refuse(position, str(error))

    def _range(self) -> int:
        if not self._accept("["):
            return 0
        length = self._span()
        if self._word().startswith(":"):
            self._refuse(self._token.position, "subqueries are not supported")
        self._expect("]")
        return length

    def _offset(self) -> int:
        if not self._accept("offset"):
            return 0
        sign = -1 if self._accept("-") else 1
        return sign * self._span()

    def _span(self) -> int:
        if self._token.kind != "span":
            self._unexpected(", expected a duration")
        token = self._take()
        try:
            length = moments.span(token.text)
        except ValueError as error:
            self._refuse(token.position, str(error))
        return length or self._refuse(token.position, "duration must be greater than 0")
