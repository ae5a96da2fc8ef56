"""
A runbook as the site may show it: its cells and outputs by an allow-list, nothing else of the notebook.

Outputs are text and our own Markdown, with every `<` escaped. No raw cell, no widget, no metadata, no tag: each of
these has run a script in a reader's browser. What the converter makes of it is cleaned again, by `clean`.
"""

import re

from firstwatch.model import Json
from firstwatch.record.redact import redacted

KEPT = ("text/markdown", "text/plain")  # in order of preference; any other kind of output is dropped
# What mkdocs-jupyter adds for its own script, which is not published: each source again, a button, anchors.
_COPY = re.compile(
    r'<div class="clipboard-copy-txt"[^>]*>[^<]*</div>|<span class="notice"[^>]*>[^<]*</span>'
    r'|<a class="anchor-link"[^>]*>[^<]*</a>'
)

_BOOK = re.compile(r'href="(?![a-z]+:|/)([^"#?]+)\.ipynb(#[^"]*)?"', re.IGNORECASE)  # a link to another runbook


def derived(notebook: Json) -> Json:
    """Return *notebook* with only the cells and outputs that may be published, and no metadata but the language's."""
    cells = [_cell(cell) for cell in notebook["cells"] if cell["cell_type"] in ("code", "markdown")]
    language = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": language}, "nbformat": 4, "nbformat_minor": 5}


def commanded(notebook: Json, name: str) -> Json:
    """Return the *notebook* of the runbook *name* with the command that runs it after its title."""
    said = "What follows is its run against its recording: nothing was asked or changed."
    told = {"cell_type": "markdown", "id": "command", "metadata": {}, "source": f"    firstwatch run {name}\n\n{said}"}
    return notebook | {"cells": [*notebook["cells"][:1], told, *notebook["cells"][1:]]}


def _cell(cell: Json) -> Json:
    kept = {"cell_type": cell["cell_type"], "id": cell["id"], "source": redacted(cell["source"]), "metadata": {}}
    if cell["cell_type"] == "markdown":
        return kept
    outputs = [made for output in cell.get("outputs", ()) if (made := _output(output))]
    return kept | {"execution_count": cell.get("execution_count"), "outputs": outputs}


def _output(output: Json) -> Json | None:
    if output["output_type"] == "stream":
        name = "stderr" if output["name"] == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": _text(output["text"])}
    if output["output_type"] == "error":
        said = {key: _text(output[key]) for key in ("ename", "evalue")}
        return {"output_type": "error", "traceback": ["{ename}: {evalue}".format(**said)], **said}
    data = output.get("data", {})
    kind = next((each for each in KEPT if each in data), None)
    if kind is None:
        return None
    text = _text(data[kind]).replace("<", "&lt;") if kind == "text/markdown" else _text(data[kind])
    return {"output_type": "display_data", "data": {kind: text}, "metadata": {}}


def _text(value: str | list[str]) -> str:
    return str(redacted(value if isinstance(value, str) else "".join(value)))


def tidied(html: str, *, directories: bool = True) -> str:
    """
    Return the *html* that mkdocs-jupyter made without its doubles, in the theme's colours, its links to pages.

    With *directories* a page `x` is at `x/`, else at `x.html`. Code wider than the page can be scrolled by keys.
    """
    text = _COPY.sub("", html).replace('class="highlight-ipynb hl-', 'class="highlight hl-')
    return _BOOK.sub(r'href="../\1/\2"' if directories else r'href="\1.html\2"', text).replace(
        "<pre>", '<pre tabindex="0">'
    )
