"""Invented reports for sample generators: a web page as HSSIB lays them out, and a plain PDF."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

LINES_A_PAGE = 46
WIDTH = 92  # characters of a line of body text
HEADING_SIZE, BODY_SIZE = 15, 10.5


def write_page(path: Path, title: str, url: str, day: str, sections: dict[str, list[str]]) -> None:
    """Write a report as a web page: menus around it, headings, paragraphs, and a list under the last heading."""
    parts = []
    for heading, texts in sections.items():
        parts.append(f"<h2>{html.escape(heading)}</h2>")
        if "recommendation" in heading.lower():
            parts.append("<ul>" + "".join(f"<li>{html.escape(text)}</li>" for text in texts) + "</ul>")
        else:
            parts += [f"<p>{html.escape(text)}</p>" for text in texts]
    body = "\n".join(parts)
    path.write_text(
        f"""<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<link rel="canonical" href="{html.escape(url)}">
<meta property="article:published_time" content="{day}T00:01:00+00:00"></head>
<body><header><nav><ul><li>Patient safety investigations and what we have learned from them</li></ul></nav></header>
<main><h1>{html.escape(title)}</h1>
{body}
</main><footer><p>This page is synthetic sample data and about no real event.</p></footer></body></html>
""",
        encoding="utf-8",
    )


def write_pdf(path: Path, title: str, sections: dict[str, list[str]]) -> None:
    """Write a report as a PDF of plain text: headings larger than the body, paragraphs parted by a gap."""
    pages: list[list[tuple[float, str]]] = [[(HEADING_SIZE + 3, title)]]
    for heading, texts in sections.items():
        _place(pages, [(HEADING_SIZE, heading), (0, "")])
        for text in texts:
            _place(pages, [*((BODY_SIZE, line) for line in _wrapped(text)), (0, "")])
    path.write_bytes(pdf_bytes(title, [_page_stream(page) for page in pages]))


def _place(pages: list[list[tuple[float, str]]], lines: list[tuple[float, str]]) -> None:
    if len(pages[-1]) + len(lines) > LINES_A_PAGE:
        pages.append([])
    pages[-1].extend(lines)


def _wrapped(text: str) -> Iterable[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


def _page_stream(lines: list[tuple[float, str]]) -> bytes:
    place, out = 800.0, []
    for size, text in lines:
        place -= 16
        if text:
            shown = text.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            out.append(b"BT /F1 %.1f Tf 50 %.1f Td (%s) Tj ET" % (size, place, shown))
    return b"\n".join(out)


def pdf_bytes(title: str, streams: list[bytes]) -> bytes:
    """Return a PDF of one page a stream. Object 1 catalogue, 2 page tree, 3 font, 4 title, then page and stream."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title (%s) >>" % title.encode("ascii", "replace"),
    ]
    for number, stream in enumerate(streams):
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        page = f"/Parent 2 0 R /MediaBox [0 0 595 842] {fonts} /Contents {6 + 2 * number} 0 R"
        objects += [
            f"<< /Type /Page {page} >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
