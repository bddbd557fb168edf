"""What each publisher said last, kept between runs: `PERINATAL_HOME/probes/<live or sample>/<source>.json`.

Written atomically, after what it speaks of has been dealt with: a kill makes the next run ask again, never less.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from perinatal.durable import write_atomically
from perinatal.errors import PerinatalError


@dataclass
class ProbeState:
    """One source's state. Times are UTC, ISO 8601.

    - `token`: the probe's answer of which everything is dealt with;
    - `latest`: its newest answer, where a person still has to act, and `waiting`: what for (`since`, `message`,
      `links`);
    - `releases`: how many were landed when the page was last as in `token`: one more, and a person has acted;
    - `files`: address → `etag`, `last_modified`, `sha256` of what was downloaded, and `kept_as`: the hashes of what it
      is landed (or in quarantine) as;
    - `parts` (APIs): kinds of area → indicator id → upload date, then what it is kept as (nothing: it has no data);
    - `probed_at`, `outcome`, `message`: how the last run went.
    """

    token: dict[str, Any] = field(default_factory=dict)
    latest: dict[str, Any] = field(default_factory=dict)
    waiting: dict[str, Any] | None = None
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    releases: int = 0
    probed_at: str = ""
    outcome: str = ""
    message: str = ""


class ProbeStates:
    """The state of each source, of the real publishers and of the sample ones."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, source_id: str, *, synthetic: bool) -> Path:
        """Return where a source's state lies; the sample publishers' answers are no answers of the real ones."""
        return self.root / ("sample" if synthetic else "live") / f"{source_id}.json"


def load(path: Path) -> ProbeState:
    """Read a state; an empty one where nothing was ever asked."""
    if not path.exists():
        return ProbeState()
    try:
        return ProbeState(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise PerinatalError(
            f"{path}: not a probe's state ({error}); remove it, then everything is asked anew"
        ) from None


def save(path: Path, state: ProbeState) -> None:
    """Write a state."""
    write_atomically(path, json.dumps(asdict(state), ensure_ascii=False, indent=1, sort_keys=True) + "\n")
