"""
What may be in a page: the last word on its HTML, after every converter has had its own.

An allow-list, in a parser's hands: what is not named here is not published. No script, no style, no handler, no frame;
links to `http`, `https`, `mailto`, `tel` and within the site; images from the site itself, or PNGs within the page, so
that no reader's browser asks anybody else. Names that the theme looks for in a page are its own: a text that called
itself `__config` would be read as the theme's settings.
"""

import html
import re
from collections.abc import Iterable
from typing import Any

_TEXT = (
    "a abbr b blockquote br code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i ins kbd li mark"
)
_MORE = "ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead tr ul var img autoref"
TAGS = set(f"{_TEXT} {_MORE}".split())
ATTRIBUTES = {
    "*": {"id", "class", "title"},
    "a": {"href"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "autoref": {"identifier", "optional", "hover"},  # a reference that mkdocstrings resolves later
}
SCHEMES = {"http", "https", "mailto", "tel", "data"}  # data: for images alone, see `_value`
GONE = {"script", "style", "template", "noscript", "iframe", "object", "embed", "title", "textarea", "xmp"}
LONGEST_TITLE = 120
_PNG = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*")
_ELSEWHERE = re.compile(r"[\s\x00-\x20]*(?:[a-z][a-z0-9+.-]*:|[\\/]{2})", re.IGNORECASE)
_VERDICT = re.compile(r"<td>(OK|BAD|UNKNOWN)</td>")  # seen from afar: it gets a colour besides its word
# Not a page, or one of the reader's own machine: a game day's services were there, and are gone when it is read.
_OWN = r"https?:[\\/]*(?:127(?:\.\d+){3}|localhost|\[::1\])(?:[:/\\?#]|$)"
_NOWHERE = re.compile(rf"[\s\x00-\x20]*(?:data:|{_OWN})", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9][\w.:-]*")


def cleaned(text: str) -> str:
    """Return the HTML *text* with only what may be published; the text of other elements stays, their markup goes."""
    import nh3

    made = nh3.clean(
        text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        tag_attribute_values={"pre": {"tabindex": {"0"}}},  # a place that is scrolled can be reached by keys
        attribute_filter=_value,
        clean_content_tags=GONE,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
    )
    return _VERDICT.sub(lambda found: f'<td class="{found[1].lower()}">{found[1]}</td>', made)


def _value(_tag: str, name: str, value: str) -> str | None:
    """Return what the attribute *name* may say; None takes it away."""
    if name == "href":
        return None if _NOWHERE.match(value) else value
    if name == "src":
        return value if _PNG.fullmatch(value) or not _ELSEWHERE.match(value) else None
    if name == "id":
        return anchor(value) or None
    if name == "class":
        return " ".join(filter(_free, value.split())) or None
    return value


def _free(name: str) -> bool:
    """Whether a class means nothing to the theme; `mermaid` would make it fetch a program from elsewhere."""
    return name == "md-button" or not name.startswith(("md-", "mermaid"))


def contents(items: Iterable[Any]) -> None:
    """Make the entries of a table of contents text, whatever their headings were made of, and their anchors names."""
    for item in items:
        item.title, item.id = html.escape(heading(item.title)), anchor(item.id)
        contents(item.children)


def anchor(name: str) -> str:
    """Return *name* if a place in a page may be called so, else nothing."""
    return name if _ID.fullmatch(name) else ""


def heading(text: str) -> str:
    """
    Return *text*, which may be markup, as a title: letters of a narrow alphabet, 120 at most.

    Themes undo escapes where they put a title, so there is nothing in it that could be one.
    """
    bare = re.sub(r"<[^<>]*>", " ", html.unescape(text))
    kept = re.sub(r"[^\w ,.:;%()+/?!'-]", " ", bare)
    return " ".join(kept.split())[:LONGEST_TITLE]
