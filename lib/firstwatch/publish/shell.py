"""
The site's frame without a page in it: mkdocs makes it once, and each record's page is put into a copy of it.

So one more record costs one more file, whatever the number already there, and mkdocs need not run for it.
"""

import html
import re
from dataclasses import dataclass
from functools import cached_property

from firstwatch.publish.fragment import Fragment

# Words that stand in the frame for what is put there. They are filled in one pass: no page can name another's place.
TITLE, CONTENT, PLACE = "firstwatch-page-title", "firstwatch-page-content", "firstwatch-page-place"
PAGE = f"---\ntitle: {TITLE}\nsearch: {{exclude: true}}\n---\n# Incidents\n\n{CONTENT}\n\n## {PLACE}\n"
_ITEM = f'<li class="md-nav__item">\\s*<a href="#{PLACE}".*?</li>'
_SKIP = '(?<=href="#)incidents(?=" class="md-skip")'  # where a reader without a mouse goes at once
_MIDDLE = f"<h1[^<]*?(?:<a [^<]*</a>)?</h1>\\s*<p>{CONTENT}</p>\\s*<h2.*?</h2>"
_HOLES = re.compile(f"(?P<content>{_MIDDLE})|(?P<places>{_ITEM})|(?P<title>{TITLE})|{PLACE}|{_SKIP}", re.DOTALL)


@dataclass(frozen=True)
class Shell:
    """The frame, as mkdocs wrote it."""

    text: str

    @cached_property
    def _pieces(self) -> list[tuple[str, str]]:
        """Return the frame as pairs of what is kept and what follows it: a hole's name, or nothing."""
        pieces, at = [], 0
        for hole in _HOLES.finditer(self.text):
            pieces.append((self.text[at : hole.start()], hole.lastgroup or "place"))
            at = hole.end()
        return [*pieces, (self.text[at:], "")]

    def filled(self, page: Fragment) -> str:
        """Return the frame with *page* in it."""
        places = "".join(_item(name, title) for name, title in page.headings)
        put = {
            "content": f'<div class="record">{page.html}</div>',
            "places": places,
            "title": html.escape(page.title),
            "place": "record",
            "": "",
        }
        return "".join(kept + put[hole] for kept, hole in self._pieces)


def _item(name: str, title: str) -> str:
    link = (
        f'<a href="#{html.escape(name)}" class="md-nav__link"><span class="md-ellipsis">{html.escape(title)}</span></a>'
    )
    return f'<li class="md-nav__item">{link}</li>'
