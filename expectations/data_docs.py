"""Data Docs: Great Expectations' own page of each suite's newest run, and how each standard did over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from expectations.native import GX_SEVERITY, library
from expectations.results import Result

TRENDS = "trends"


def write(folder: Path, suites: Mapping[str, Sequence[Sequence[Result]]]) -> Path:
    """Write the pages of an edition into `folder`; returns the folder of the site.

    Each suite has its runs in order: one for the release gate, one a landed release for an arrival gate. The library
    writes a page of the newest, in which every standard stands in words with its examples.
    """
    gx = library()
    context = gx.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    for suite, runs in suites.items():
        if native := [result for result in runs[-1] if result.is_native]:
            _add(context, gx, suite, native)
    context.build_data_docs()
    site = next(folder.glob("**/data_docs/local_site"))
    (site / TRENDS).mkdir()
    for suite, runs in suites.items():
        (site / TRENDS / f"{suite}.html").write_text(_trend(suite, runs), encoding="utf-8")
    return site


def _add(context: Any, gx: Any, suite: str, results: Sequence[Result]) -> None:
    """Put the results of one run into the library's stores, as if it had just found them."""
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    verdicts = [_verdict(result) for result in results]
    configurations = [verdict.expectation_config for verdict in verdicts]
    context.suites.add(gx.ExpectationSuite(name=suite, expectations=[one.to_domain_obj() for one in configurations]))
    met = sum(result.success for result in results)
    name = results[0].release_key or suite if suite.startswith("arrival_") else suite
    found = ExpectationSuiteValidationResult(
        success=met == len(results),
        results=verdicts,
        suite_name=suite,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": met,
            "unsuccessful_expectations": len(results) - met,
            "success_percent": 100 * met / len(results),
        },
        meta={
            "batch_spec": {"data_asset_name": name},
            "run_id": {"run_name": name, "run_time": datetime.now(UTC).isoformat()},
            "great_expectations_version": gx.__version__,
        },
    )
    run = RunIdentifier(run_name=name.replace("/", " "), run_time=datetime.now(UTC))
    key = ValidationResultIdentifier(ExpectationSuiteIdentifier(suite), run, name.replace("/", "-"))
    context.validation_results_store.add(key, found)


def _verdict(result: Result) -> Any:
    """Return the library's own record of a result; publishers' words are escaped, which its templates do not do."""
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    words = result.description if result.success else f"Not met ({result.severity}): {result.message}"
    configuration = ExpectationConfiguration(
        type=result.expectation,
        kwargs=dict(result.kwargs),
        severity=GX_SEVERITY[result.severity],
        description=f"{escape(words)} [{result.rule}]",
        notes=[note for note in (result.why, result.remedy) if note],
        meta={"dimension": result.dimension, "owner": result.owner, "affected_marts": result.affected_marts},
    )
    return ExpectationValidationResult(
        success=result.success, expectation_config=configuration, result=_found(result), exception_info=NO_EXCEPTION
    )


NO_EXCEPTION = {"raised_exception": False, "exception_message": None, "exception_traceback": None}


def _found(result: Result) -> dict[str, Any]:
    """Return counts and examples as the library's pages show them; numbers of whole columns as they were found."""
    if result.unexpected_count is None:
        return {"observed_value": result.observed}
    examples = [escape(", ".join(f"{name}: {value}" for name, value in row.items())) for row in result.sample_rows]
    return {
        "element_count": result.element_count,
        "unexpected_count": result.unexpected_count,
        "unexpected_percent": result.unexpected_percent,
        "partial_unexpected_list": examples,
        "partial_unexpected_counts": [{"value": example, "count": 1} for example in examples],
    }


def _trend(suite: str, runs: Sequence[Sequence[Result]]) -> str:
    """Return the page of a suite: each standard in words, and what each run, newest first, found of it."""
    newest_first = list(reversed(runs))
    heads = "".join(f"<th scope='col'>{escape(_run_name(run))}</th>" for run in newest_first)
    by_run = [{result.rule: result for result in run} for run in newest_first]
    known = {rule: result for found in reversed(by_run) for rule, result in found.items()}
    failed = {result.rule for run in runs for result in run if result.failed}
    failed_first = sorted(known, key=lambda rule: rule not in failed)
    lines = "".join(_line(known[rule], [found.get(rule) for found in by_run]) for rule in failed_first)
    title = f"{escape(suite)}: each standard over time"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title><style>{STYLE}</style>"
        f"</head><body><p><a href='../index.html'>Data Docs</a></p><h1>{title}</h1><table><thead><tr>"
        f"<th scope='col'>Standard</th>{heads}</tr></thead><tbody>{lines}</tbody></table></body></html>"
    )


def _line(standard: Result, found: Sequence[Result | None]) -> str:
    words = escape(standard.description or standard.rule)
    named = f"{words}<br><small>{escape(standard.rule)}, {standard.severity}</small>"
    return f"<tr><th scope='row'>{named}</th>{''.join(f'<td>{_cell(result)}</td>' for result in found)}</tr>"


STYLE = (
    "body{font-family:sans-serif;margin:2rem}table{border-collapse:collapse}"
    "th,td{border:1px solid #aeb7bd;padding:.4rem;text-align:left;vertical-align:top}"
    ".block{background:#f6d7d2}.warn{background:#fff2d3}.info{background:#eef3f7}"
)


def _run_name(run: Sequence[Result]) -> str:
    key = run[0].release_key
    return " ".join(key.split("/")[1:3]) if key and run[0].suite.startswith("arrival_") else "this edition"


def _cell(result: Result | None) -> str:
    if result is None:
        return "not asked"
    if result.success:
        seen = "" if result.observed is None or result.unexpected_count is not None else f" ({result.observed:,g})"
        return f"met{seen}"
    return f"<span class='{result.severity}'>{escape(result.message)}</span>"
