"""What a sample site answers with a file of a folder, as it lies on disk."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What a route answers before validators and ranges are applied."""

    body: bytes
    media_type: str
    status: int = 200
    modified: float | None = None  # seconds since 1970


NOT_FOUND = Answer(b"Not found", "text/plain", 404)


def file_answer(path: Path, media_type: str | None = None) -> Answer:
    """Return a file, or 404. Without `media_type` it is guessed from the file's name."""
    if not path.is_file():
        return NOT_FOUND
    guessed = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if guessed == "text/html" else ""
    return Answer(path.read_bytes(), guessed + charset, modified=path.stat().st_mtime)


def folder_answer(folder: Path, rest: str, media_type: str | None = None) -> Answer:
    """Return a file below a folder, or 404; nothing outside it."""
    path = (folder / rest).resolve()
    return file_answer(path, media_type) if path.is_relative_to(folder.resolve()) else NOT_FOUND


def govuk_answer(folder: Path, rest: str) -> Answer:
    """Return `<path>.json` of GOV.UK's content API, or its 404 document."""
    answer = folder_answer(folder, rest.strip("/") + ".json")
    return Answer(b'{"message": "Not found"}', "application/json", 404) if answer.status == 404 else answer
