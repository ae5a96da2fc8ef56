"""
What a page may do in a reader's browser: run the theme's own scripts, known by their hashes, and ask nobody else.

The hashes are of the theme's templates, filled with nothing but how deep a page lies. They are never taken from a page:
a script that got into one would then allow itself.
"""

import base64
import hashlib
import re
from typing import Any

PARTS = ("base", "palette", "content")  # the theme's templates that hold a script
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# A style cannot fetch anything here, as every other source is closed, and the theme writes some.
REST = (
    "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'",
    "worker-src 'self'", "base-uri 'none'", "form-action 'none'", "object-src 'none'", "frame-src 'none'",
)  # fmt: skip


def policy(environment: Any, config: Any, base_url: str) -> str:
    """Return the content security policy of pages that are *base_url* below the site's root."""
    hashes = [f"'{_hash(script)}'" for part in PARTS for script in _scripts(environment, config, base_url, part)]
    return "; ".join(("default-src 'none'", f"script-src 'self' {' '.join(hashes)}", *REST))


def _scripts(environment: Any, config: Any, base_url: str, part: str) -> list[str]:
    template = environment.get_template(f"partials/javascripts/{part}.html")
    return _SCRIPT.findall(template.render(config=config, base_url=base_url, features=config.theme["features"]))


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
