"""What a page may hold, told by the cleaning of its HTML and by the derivation of notebooks and records."""

# ruff: noqa: E501 - what is tried is as long as it is

import json
from types import SimpleNamespace

import pytest

from firstwatch.publish.clean import cleaned, contents, heading
from firstwatch.publish.fragment import Fragment, rendered
from firstwatch.publish.notebook import derived, tidied
from firstwatch.publish.shell import CONTENT, PLACE, TITLE, Shell


@pytest.mark.parametrize("text", [
    "<script>fw(1)</script>", "<img src=x onerror=fw(1)>", "<svg onload=fw(1)>", "<p style='background:url(//a.example)'>",
    "<a href='javascript:fw(1)'>x</a>", "<a href='JaVa\tScript:fw(1)'>x</a>", "<a href='data:text/html,x'>x</a>",
    "<iframe src='//a.example'></iframe>", "<img src='//a.example/x.png'>", "<img src='https://a.example/x.png'>",
    "<img src='/\\a.example/x.png'>", "<img src='data:image/svg+xml,<svg onload=fw(1)>'>", "<math><mi xlink:href='data:x'>",
    "<form action=//a.example><button formaction=javascript:fw(1)>", "<meta http-equiv=refresh content=0>",
    "<base href=//a.example>", "<link rel=stylesheet href=//a.example>", "<p id=__config>", "<p class='md-overlay mermaid'>",
    "<div data-md-component=source>", "<video src=//a.example>", "<object data=x>", "<noscript><p title='</noscript><img src=x onerror=fw(1)>'>",
], ids=str)  # fmt: skip
def test_nothing_that_acts_or_fetches_stays(text: str) -> None:
    left = cleaned(text).lower()
    for bad in (
        "script",
        "onerror",
        "onload",
        "style",
        "javascript",
        "data:",
        "a.example",
        "__",
        "md-",
        "mermaid",
        "http",
    ):
        assert bad not in left, left


def test_what_a_page_needs_stays() -> None:
    text = (
        '<h2 id="a-b">A</h2><p class="admonition-title">T</p><a href="../x/#y">x</a><a href="tel:+1-555-0123">n</a>'
        '<img src="a/b.png" alt="p"><img src="data:image/png;base64,iVBORw0=" alt="q"><pre><code class="language-x">c</code></pre>'
        '<table><tbody><tr><td colspan="2">1</td></tr></tbody></table><details open=""><summary>s</summary></details>'
    )  # fmt: skip
    assert cleaned(text).replace(' rel="noopener noreferrer"', "") == text


@pytest.mark.parametrize(("text", "shown"), [
    ("</title><script>fw(1)</script>", "fw(1)"), ("&lt;/title&gt;&lt;script&gt;fw(1)", "fw(1)"), ("API errors", "API errors"),
    ("a &amp; b \"c\" `d`", "a b c d"), ("x" * 500, "x" * 120), ("What's up?", "What's up?"),
    ("\u202egnp.exe\x00", "gnp.exe"), ("&amp;lt;script&amp;gt;x", "lt;script gt;x"),
], ids=repr)  # fmt: skip
def test_a_title_is_letters_of_a_narrow_alphabet(text: str, shown: str) -> None:
    assert heading(text) == shown


def test_a_table_of_contents_is_text_and_its_anchors_are_names() -> None:
    child = SimpleNamespace(title="<img src=x onerror=fw(1)>b", id='x" onclick="fw(1)', children=[])
    item = SimpleNamespace(title="A &amp;amp; B's", id="a-b", children=[child])
    contents([item])
    assert (item.title, item.id, child.title, child.id) == ("A amp; B&#x27;s", "a-b", "b", "")


def test_markdown_of_others_makes_no_html_and_no_link_that_acts() -> None:
    page = rendered(
        "# T <b>x</b>\n\n<script>fw(1)</script>\n\n[a](javascript:fw(1)) [b](https://a.example/) `<i>`\n\n## One\n\n## One\n"
    )
    assert "<script" not in page.html
    assert '<a href="javascript' not in page.html.lower()
    assert '<a href="https://a.example/" rel="noopener noreferrer">b</a>' in page.html
    assert page.title == "T x"
    assert page.headings == (("one", "One"), ("one-2", "One"))
    assert '<h1 id="record">' in page.html


def test_a_page_cannot_name_the_place_of_another_in_the_frame() -> None:
    frame = Shell(
        f'<title>{TITLE}</title><li class="md-nav__item">\n<a href="#{PLACE}">{PLACE}</a></li><h1>Incidents</h1>\n<p>{CONTENT}</p>\n<h2>{PLACE}</h2>'
    )
    filled = frame.filled(Fragment("T<", f"<p>{TITLE} {CONTENT}</p>", (("one", "One"),)))
    assert filled == (
        '<title>T&lt;</title><li class="md-nav__item"><a href="#one" class="md-nav__link"><span class="md-ellipsis">One'
        f'</span></a></li><div class="record"><p>{TITLE} {CONTENT}</p></div>'
    )


def test_only_listed_outputs_and_no_metadata_of_a_notebook_are_derived() -> None:
    everything = {"text/html": "<b>h</b>", "application/javascript": "j", "image/svg+xml": "s", "text/vnd.mermaid": "m"}
    outputs = [
        {"output_type": "display_data", "data": everything | {"text/markdown": "<i>k</i>"}, "metadata": {"t": 1}},
        {"output_type": "display_data", "data": everything, "metadata": {}},
        {"output_type": "stream", "name": "stdout", "text": ["a", "b"]},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b]8;;http://a.example\x07"]},
    ]
    code = {"cell_type": "code", "id": "c", "source": "1", "metadata": {"tags": ["<script>"]}, "outputs": outputs}
    raw = {"cell_type": "raw", "id": "r", "source": "<script>", "metadata": {}}
    book = derived({"cells": [code, raw], "metadata": {"title": "x", "widgets": {}, "kernelspec": {"name": "<x>"}}})
    text = json.dumps(book)
    assert [cell["cell_type"] for cell in book["cells"]] == ["code"]
    assert [each["output_type"] for each in book["cells"][0]["outputs"]] == ["display_data", "stream", "error"]
    assert "&lt;i>k&lt;/i>" in text
    for gone in ("<script>", "javascript", "svg", "mermaid", "widgets", "tags", "a.example", "<x>", "<b>"):
        assert gone not in text


def test_the_doubles_of_the_converter_are_dropped() -> None:
    text = '<span class="notice" hidden>Copied!</span><div class="highlight-ipynb hl-python">x</div><div class="clipboard-copy-txt" id="cell-1">x &lt;</div>'
    assert tidied(text) == '<div class="highlight hl-python">x</div>'


@pytest.mark.parametrize("word", ["OK", "BAD", "UNKNOWN"])
def test_a_verdict_in_a_table_can_be_told_from_afar_and_no_other_word(word: str) -> None:
    table = rendered(f"| a | b |\n| --- | --- |\n| {word} | {word}! |\n").html
    assert f'<td class="{word.lower()}">{word}</td>' in table
    assert f"<td>{word}!</td>" in table


@pytest.mark.parametrize("link", ["http://127.0.0.1:1/x", "HTTPS://localhost/", " http:/\\[::1]/"])
def test_nothing_leads_to_the_reader_s_own_machine(link: str) -> None:
    assert "href" not in cleaned(f'<a href="{link}">x</a>')


@pytest.mark.parametrize("link", ["https://localhost.example.com/", "https://a.example/127.0.0.1", "../localhost/"])
def test_a_link_to_elsewhere_stays(link: str) -> None:
    assert f'href="{link}"' in cleaned(f'<a href="{link}">x</a>')
