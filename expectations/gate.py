"""Great Expectations as the judge of both gates.

Large tables are measured in SQL; what reaches Great Expectations is a small frame of observed numbers. To be judged,
each rule is a row beside its limits; in the Data Docs each rule is a column, each release (or the candidate) a row.
Importing the library costs seconds, so it happens here and nowhere else.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.checks import Measured, Result, Rule

if TYPE_CHECKING:
    import pandas as pd

GX_SEVERITY = {"block": "critical", "warn": "warning", "info": "info"}


def _library() -> tuple[Any, Any]:
    """Import Great Expectations: quiet, and with its telemetry off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)  # before the import, which logs a page of its own
    import great_expectations as gx
    import great_expectations.expectations as gxe

    return gx, gxe


@contextmanager
def at_hand(wanted: bool) -> Iterator[None]:
    """Import the library meanwhile, where the work inside takes long enough anyway: importing it takes seconds."""
    helper = threading.Thread(target=_library) if wanted else None
    if helper:
        helper.start()
    try:
        yield
    finally:
        if helper:
            helper.join()


def _context(gx: Any, folder: Path | None) -> Any:
    context = (
        gx.get_context(mode="ephemeral") if folder is None else gx.get_context(mode="file", project_root_dir=folder)
    )
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def _expectation(gxe: Any, rule: Rule) -> Any:
    """Return the expectation of one rule: its column of observed numbers lies between the rule's limits.

    Of a rule without limits its column is expected, so that its number is shown.
    """
    about = {
        "column": rule.id,
        "severity": GX_SEVERITY[rule.severity],
        "notes": f"{rule.says} {rule.remedy}".strip(),
        "meta": {"dimension": rule.dimension, "owner": rule.owner, "affected_marts": list(rule.marts)},
    }
    if rule.minimum is None and rule.upper is None:
        return gxe.ExpectColumnToExist(**about)
    return gxe.ExpectColumnValuesToBeBetween(min_value=rule.minimum, max_value=rule.upper, **about)


def _frame(batch: Sequence[Sequence[Measured]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([{item.rule.id: item.observed for item in row} for row in batch], dtype="float64")


def _suite(gx: Any, gxe: Any, suite: str, batch: Sequence[Sequence[Measured]]) -> Any:
    rules = {item.rule.id: item.rule for row in batch for item in row}
    return gx.ExpectationSuite(name=suite, expectations=[_expectation(gxe, rule) for rule in rules.values()])


def _definition(context: Any, suite: str) -> Any:
    source = context.data_sources.add_or_update_pandas("measures")
    return source.add_dataframe_asset(suite).add_batch_definition_whole_dataframe("all")


@cache
def _measures() -> Any:
    """Return where this process lays its frames before the judge; making that place takes longer than judging."""
    return _definition(_context(_library()[0], None), "measures")


def judge(suite: str, measured: Sequence[Measured]) -> list[Result]:
    """Judge one release or candidate: a verdict for each rule.

    The rules are rows, two expectations hold them against their limits, and the rows that fail are named: the library's
    time grows with the number of expectations, and there are a hundred rules and more.
    """
    if not measured:
        return []
    import pandas as pd

    gx, gxe = _library()
    numbers = pd.DataFrame(
        [(item.rule.minimum, item.observed, item.rule.upper) for item in measured],
        columns=["minimum", "observed", "maximum"],
        dtype="float64",
    )
    expectations = [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=larger, column_B=smaller, or_equal=True, ignore_row_if="either_value_is_missing"
        )
        for larger, smaller in (("observed", "minimum"), ("maximum", "observed"))
    ]
    report = (
        _measures()
        .get_batch({"dataframe": numbers})
        .validate(gx.ExpectationSuite(name=suite, expectations=expectations), result_format="COMPLETE")
    )
    expectation = report.results[0].expectation_config.type
    failing = {place for verdict in report.results for place in verdict.result["unexpected_index_list"]}
    return [_result(suite, item, expectation, place not in failing) for place, item in enumerate(measured)]


def _result(suite: str, item: Measured, expectation: str, success: bool) -> Result:
    rule = item.rule
    return Result(
        suite=suite,
        rule=rule.id,
        expectation=expectation,
        severity=rule.severity,
        dimension=rule.dimension,
        success=success,
        observed=item.observed,
        minimum=rule.minimum,
        maximum=rule.upper,
        message=item.message or rule.says,
        remedy=rule.remedy,
        owner=rule.owner,
        affected_marts=list(rule.marts),
        sample_rows=[] if success else item.rows,
        release_key=item.release_key,
        affected_lms=list(item.affected_lms),
        releases=item.releases,
    )


def write_docs(folder: Path, suites: dict[str, list[list[Result]]]) -> None:
    """Write Data Docs of an edition: a suite for the release gate and one for each dataset, a row a release.

    Column rules that all hold are one line there (`quality.check_result` has each): the library's time and the
    reader's patience grow with the number of expectations.
    """
    gx, gxe = _library()
    context = _context(gx, folder)
    for name, releases in suites.items():
        batch = [_briefly(results) for results in releases]
        suite = context.suites.add(_suite(gx, gxe, name, batch))
        validation = gx.ValidationDefinition(name=name, data=_definition(context, name), suite=suite)
        context.validation_definitions.add(validation).run(batch_parameters={"dataframe": _frame(batch)})
    context.build_data_docs()


def _briefly(results: Sequence[Result]) -> list[Measured]:
    """Return the rules of one release with the column rules that hold drawn together."""
    held = [result for result in results if "__" in result.rule and result.success]
    told = [_measured(result) for result in results if result not in held]
    drawn = Rule("column_rules_not_held", "Every column is as its contract says", "block", "validity", maximum=0)
    failed = sum(result.failed for result in results if "__" in result.rule)
    return [*told, Measured(drawn, float(failed))] if held else told


def _measured(result: Result) -> Measured:
    rule = Rule(
        id=result.rule,
        says=result.message,
        severity=result.severity,
        dimension=result.dimension,
        remedy=result.remedy,
        minimum=result.minimum,
        maximum=result.maximum,
        marts=tuple(result.affected_marts),
        owner=result.owner,
    )
    return Measured(rule, result.observed)


def with_release(results: Sequence[Result], release_key: str) -> list[Result]:
    """Return the results of an arrival gate with the release they are about."""
    return [replace(result, release_key=release_key) for result in results]
