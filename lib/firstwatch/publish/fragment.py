"""Markdown that holds what others wrote, as HTML: no HTML in it works, and links lead to the web or the site alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from firstwatch.publish.clean import cleaned, heading

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Fragment:
    """A page's middle: its title, its HTML, and its second-level headings as (anchor, title)."""

    title: str
    html: str
    headings: tuple[tuple[str, str], ...]


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def rendered(text: str) -> Fragment:
    """Return the Markdown *text* as a fragment, cleaned; the first heading is its title."""
    markdown = _markdown()
    tokens = markdown.parse(text)
    found = list(_headings(tokens))
    title = next((each.title for each in found if each.tag == "h1"), "")
    shown = tuple((each.anchor, each.title) for each in found if each.tag == "h2")
    return Fragment(title, cleaned(markdown.renderer.render(tokens, markdown.options, {})), shown)


@dataclass(frozen=True, slots=True)
class _Heading:
    tag: str
    anchor: str
    title: str


def _headings(tokens: list["Token"]) -> Iterator[_Heading]:
    """Yield the headings among *tokens*, and give each its anchor."""
    taken: set[str] = set()
    for opened, said in pairwise(tokens):
        if opened.type == "heading_open":
            made = _Heading(opened.tag, _slug(heading(said.content), taken), heading(said.content))
            opened.attrSet("id", made.anchor)
            yield made


def _slug(title: str, taken: set[str]) -> str:
    """Return a name for a place in the page that is not *taken*; the first one's is always the same."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    name = "record" if not taken else words if words[:1].isalpha() else "part"
    name = f"{name}-{len(taken)}" if name in taken else name
    taken.add(name)
    return name
