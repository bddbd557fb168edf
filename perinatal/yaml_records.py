"""YAML files read into typed records, under limits.

Aliases and anchors are refused: nobody needs them here, and a note of a few hundred bytes can grow to gigabytes with
them. So are a key that stands twice, deep nesting, and a file larger than its limit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeVar, get_origin

import yaml

from perinatal.errors import PerinatalError
from perinatal.printable import one_line, printable
from perinatal.records import record_of

T = TypeVar("T")
SIZE_LIMIT: Final = 1 << 20  # bytes
DEPTH_LIMIT: Final = 20  # levels of nesting


def read_yaml(path: Path, kind: type[T], *, limit: int = SIZE_LIMIT, name: str | None = None) -> T:
    """Read a YAML file into a record, or with `list[Model]` into records (an empty file holds none).

    `limit` is in bytes; `name` is what messages call the file (its path if nothing is said). Raises PerinatalError
    that names file, entry and field.
    """
    where = name or str(path)
    raw = parse_yaml(_text(path, where, limit), where)
    return record_of(kind, [] if raw is None and get_origin(kind) is list else raw, where)


def parse_yaml(text: str, where: str) -> Any:
    """Return the plain data of one YAML document. Raises PerinatalError that begins with `where`."""
    try:
        return yaml.load(text, _PlainLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise PerinatalError(f"{where}: {line}{one_line(error.problem or str(error))[:200]}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2025-02-30
        raise PerinatalError(f"{where}: cannot be read ({one_line(str(error))[:200]})") from None


def _text(path: Path, where: str, limit: int) -> str:
    with path.open("rb") as handle:
        content = handle.read(limit + 1)
    if len(content) > limit:
        raise PerinatalError(f"{where}: is larger than {limit:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PerinatalError(f"{where}: line {line}: is not UTF-8; save it as UTF-8") from None


class _PlainLoader(yaml.SafeLoader):
    """Reads plain data only."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node, unless it is or has an alias, or lies too deep."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor is not None:  # an alias names one too
            raise _refused("aliases and anchors (* and &) are not allowed; write the value out", event)
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise _refused(f"is nested more than {DEPTH_LIMIT} levels deep", event)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping, each key of which stands in it once."""
        found: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in found:
                    raise _refused(f"the key {printable(key.value)} stands twice", key)
                found.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _refused(what: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=at.start_mark)
