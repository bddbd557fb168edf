"""Web pages: parsed, and reduced to their main part."""

from __future__ import annotations

import re
from typing import Any, Final

from lxml import etree, html  # type: ignore[import-untyped]

CHROME_TAGS: Final = [
    "script",
    "style",
    "noscript",
    "template",
    "iframe",
    "svg",
    "form",
    "nav",
    "footer",
    "aside",
    "time",
]
CHROME_ROLES: Final = ["navigation", "banner", "contentinfo", "search", "complementary"]
CHROME_WORDS: Final = ["cookie", "breadcrumb", "feedback", "share"]  # in a class or id
CHROME: Final = "|".join(
    [f"//{tag}" for tag in CHROME_TAGS]
    + ["//header[not(ancestor::main)]", "//*[@hidden or @aria-hidden='true']"]
    + [f"//*[@role='{role}']" for role in CHROME_ROLES]
    + [f"//body//*[not(self::main)][contains(concat(@class, ' ', @id), '{word}')]" for word in CHROME_WORDS]
)
MAIN: Final = ("//main", "//*[@role='main']", "//article", "//body")
# the parser lets these characters in, and refuses to move a text that has them
NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(content: bytes, encoding: str | None) -> Any:
    """Parse a web page; without an encoding, in the one that it declares. Raises ValueError where it is none."""
    try:
        tree = html.document_fromstring(content, html.HTMLParser(encoding=encoding))
    except (etree.LxmlError, LookupError, AssertionError) as error:
        raise ValueError(str(error)) from None
    for element in tree.iter():
        for part in ("text", "tail"):
            text = getattr(element, part)
            if text and NOT_XML.search(text):
                setattr(element, part, NOT_XML.sub(" ", text))
    return tree


def main_of(tree: Any) -> Any:
    """Return the main part of a page, without menus, forms and other chrome. Changes `tree`."""
    for element in tree.xpath(CHROME):
        if element.getparent() is not None:
            element.drop_tree()
    return next((found[0] for path in MAIN if (found := tree.xpath(path))), tree)
