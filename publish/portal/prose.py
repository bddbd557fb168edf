"""The project's own documents (docs/*.md) as pages: Markdown without raw HTML, links kept where they lead on."""

from __future__ import annotations

from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from perinatal.settings import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs"
# document → its page
PAGES = {"methods.md": "methods.html", "disclosure.md": "disclosure.html", "analysts.md": "analysts.html"}


def document(name: str) -> tuple[str, Markup]:
    """Return title and body of a document."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((DOCS / name).read_text(encoding="utf-8"))
    title = name
    if len(tokens) > 2 and tokens[0].tag == "h1":
        title, tokens = tokens[1].content, tokens[3:]
    _walk(tokens, _mend)
    html = parser.renderer.render(_in_regions(tokens), parser.options, {})
    return title, Markup(html)  # noqa: S704 - raw HTML is off: markdown-it escapes all text


def queries() -> list[dict[str, str]]:
    """Return the example queries: file name, the question that its first comment asks, the text."""
    found = []
    for path in sorted((DOCS / "queries").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        comment = " ".join(line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--"))
        found.append({"name": path.name, "asks": comment.split("?")[0].removeprefix("For ") + "?", "text": text})
    return found


def _walk(tokens: list[Token], visit: Callable[[Token], None]) -> None:
    for token in tokens:
        visit(token)
        _walk(token.children or [], visit)


def _mend(token: Token) -> None:
    """Point links between documents at their pages; a link into the code is left as text. Let code blocks scroll."""
    if token.type == "link_open":
        target = str(token.attrGet("href") or "")
        page = PAGES.get(target.removeprefix("docs/").split("#")[0])
        if page:
            token.attrSet("href", page)
        elif not target.startswith(("https://", "http://", "#")):
            token.attrs.pop("href")
    if token.type in ("th_open", "td_open"):
        token.attrs.pop("style", None)  # the Content-Security-Policy allows no inline style
    if token.type in ("fence", "code_block"):
        token.attrSet("tabindex", "0")


def _in_regions(tokens: list[Token]) -> list[Token]:
    """Put each table into a region that scrolls, and gives way at 320 px."""
    found: list[Token] = []
    tables = 0
    for token in tokens:
        if token.type == "table_open":
            tables += 1
            region = Token("region_open", "div", 1)
            region.attrs = {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": f"Table {tables}"}
            found.append(region)
        found.append(token)
        if token.type == "table_close":
            found.append(Token("region_close", "div", -1))
    return found
