"""The number style of a file: how it writes its numbers, found once and kept in the manifest."""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class NumberStyle:
    """How a file writes its numbers.

    `separator` stands between cells (empty for a workbook or document), `decimal_mark` before the fraction,
    `thousands_mark` between groups of three digits (empty where there is none; a space stands for hard and thin spaces
    too). The other two say whether a number has a per cent sign, and whether brackets stand for a minus.
    """

    separator: str = ","
    decimal_mark: str = "."
    thousands_mark: str = ""
    has_percent_signs: bool = False
    has_bracketed_negatives: bool = False
