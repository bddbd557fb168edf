"""How far a build gives way to people who ask the edition meanwhile."""

from __future__ import annotations

import os
from typing import Final

LEAST_URGENT: Final = 19  # see nice(1)


def give_way() -> None:
    """Let this process, and those that it starts, give way to all others. It cannot be taken back."""
    os.setpriority(os.PRIO_PROCESS, 0, LEAST_URGENT)
