"""
What mkdocs asks of us: the sources staged beside the hand-written pages, and each page cleaned when it is made.

The site is built from a folder that is made anew at each build, so that nothing but what was derived can be published.
What converters and plugins made of it is cleaned last, since each of them has let a script through.
"""

import logging
import os
from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority

from firstwatch.cli import listing
from firstwatch.publish import site
from firstwatch.publish.build import offline
from firstwatch.publish.clean import cleaned, contents, heading
from firstwatch.publish.csp import policy
from firstwatch.publish.notebook import tidied
from firstwatch.publish.pack import inlined

LAST = -100  # after every plugin
META = ("hide", "search")  # what a page may say of itself to the theme
log = logging.getLogger("mkdocs.hooks.firstwatch")


def on_config(config: Any) -> Any:
    """Stage all pages, and point mkdocs at them."""
    staged = site.stage(config.docs_dir)
    for name in staged.unreadable:
        log.warning("runbook %s is unreadable; its page says so", name)
    config.docs_dir = str(staged.folder)
    config.nav = site.navigation(config.nav, staged)
    if offline():
        config.use_directory_urls = False
        config.extra["polyfills"] = ["offline.js"]
    return config


NAMES = "reference/names.md"  # made from the commands, which no layer of the library knows


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Drop what a page says of itself, but for what its own theme must know."""
    titles = {key: heading(str(page.meta[key])) for key in ("title", "description") if key in page.meta}
    page.meta = {key: value for key, value in page.meta.items() if key in META} | titles
    if page.file.src_uri != NAMES:
        return markdown
    return listing.fill(markdown, site.books(Path(config.config_file_path).parent))


@event_priority(LAST)
def on_page_content(html: str, page: Any, config: Any, **_: Any) -> str:
    """Clean the page, its title and its table of contents."""
    page.title = heading(page.title or "")
    contents(page.toc)
    made = tidied(html, directories=config.use_directory_urls) if page.file.src_uri.endswith(".ipynb") else html
    return cleaned(made)


def on_post_page(output: str, **_: Any) -> str:
    """Name the theme's search, for whoever hears the page."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def on_env(env: Any, **_: Any) -> Any:
    """Give the theme's templates the policy of a page, and titles that are text."""
    env.globals["policy"] = lambda config, base_url: policy(env, config, base_url)
    env.filters["heading"] = heading
    return env


@event_priority(LAST)
def on_post_build(config: Any, **_: Any) -> None:
    """Put the records into the site that is ready but for them."""
    for line in site.assembled(config.site_dir, Path(config.config_file_path).parent, os.environ):
        if line.unreadable:
            log.warning("record %s is unreadable; its page says so: %s", line.id, line.unreadable)
    if offline():
        inlined(Path(config.site_dir))
