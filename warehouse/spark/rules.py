r"""From DuckDB's SQL, as dbt compiles it, to Spark's: sqlglot, and what sqlglot leaves to us, a rule each.

`RULES` lists the rules in order; each changes a parsed statement in place. What sqlglot turns by itself (casts,
lambdas, the order of nulls) has no rule. Functions that Spark lacks get a name of ours here and a body in
`warehouse/spark/functions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, TypeVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.generators.spark import SparkGenerator
from sqlglot.transforms import preprocess, unnest_to_explode

from perinatal.errors import PerinatalError
from warehouse.spark.functions import AVERAGE_OF_LIST, GAMMA_QUANTILE, SUM_OF_LIST

Columns = Callable[[str], Sequence[str]]
"""Gives the names of the columns of a query in Spark's SQL: what a union by name needs to know."""

Kind = TypeVar("Kind", bound=exp.Expr)


class Spark4(Spark):
    """Spark from 4.2, which knows QUALIFY and CTEs within queries: sqlglot would write both out otherwise."""

    class Generator(SparkGenerator):
        """Writes Spark's SQL."""

        EXPRESSIONS_WITHOUT_NESTED_CTES: ClassVar[set[type[exp.Expr]]] = set()
        TRANSFORMS: ClassVar = {**SparkGenerator.TRANSFORMS, exp.Select: preprocess([unnest_to_explode])}


def relation_name(schema: str, name: str) -> str:
    """Return the name of the view under which Spark knows a relation of a schema: views of a session have no schema."""
    return f"{schema}__{name}"


def spark_sql(sql: str, columns: Columns) -> str:
    """Return one query of DuckDB's dialect in Spark's. Raises PerinatalError where there is no rule for a construct."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    for rule in RULES:
        rule(tree)
    for union in _inside_out(tree, exp.Union):
        if union.args.get("by_name"):
            union_by_position(union, columns)
    return written(tree)


def written(tree: exp.Expr) -> str:
    """Return a parsed statement as Spark reads it."""
    return tree.sql(Spark4, unsupported_level=sqlglot.ErrorLevel.RAISE)


def _inside_out(tree: exp.Expr, *kinds: type[Kind]) -> Iterator[Kind]:
    """Yield the nodes of some kinds, inner ones before those around them."""
    yield from reversed(list(tree.find_all(*kinds, bfs=False)))


def _calls(tree: exp.Expr, *names: str) -> Iterator[exp.Anonymous]:
    """Yield the calls of functions that sqlglot has no node for, inner ones first."""
    for node in _inside_out(tree, exp.Anonymous):
        if node.name.lower() in names:
            yield node


def flat_names(tree: exp.Expr) -> None:
    """`database.schema.name` is the view `schema__name`, still called `name` in the query."""
    for node in _inside_out(tree, exp.Table):
        if node.db:
            alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
            node.set("this", exp.to_identifier(relation_name(node.db, node.name)))
            node.set("alias", alias)
            node.set("db", None)
            node.set("catalog", None)


def whole_matches(tree: exp.Expr) -> None:
    r"""`regexp_full_match(text, pattern, flags)`: a search for `^(?:pattern)\z`, since Spark only searches."""
    for node in _inside_out(tree, exp.RegexpFullMatch):
        options = node.args.get("options")
        start = f"(?{options.name})^(?:" if options else "^(?:"
        node.replace(exp.RegexpLike(this=node.this, expression=_framed(node.expression, start, r")\z")))


def _framed(pattern: exp.Expr, before: str, after: str) -> exp.Expr:
    """Return a pattern with text before and after it: one literal, or joined where the pattern is a column's."""
    if pattern.is_string:
        return exp.Literal.string(f"{before}{pattern.name}{after}")
    parts = [exp.Literal.string(before), pattern, exp.Literal.string(after)]
    return exp.Anonymous(this="concat", expressions=parts)


def numbered_groups(tree: exp.Expr) -> None:
    r"""Name the groups of a pattern $1 in a replacement, which are \1 in DuckDB; also where it is a column's."""
    for node in _inside_out(tree, exp.RegexpReplace):
        replacement = node.args["replacement"]
        if replacement.is_string:
            text = replacement.name.replace("$", r"\$")
            replacement.replace(exp.Literal.string(re.sub(r"\\(\d)", r"$\1", text)))
        else:
            for one, other in (("[$]", r"\\\$"), (r"\\\\(?=[0-9])", r"\$")):
                parts = {"this": replacement.copy(), "expression": exp.Literal.string(one.replace("\\\\", "\\"))}
                replaced = exp.RegexpReplace(**parts, replacement=exp.Literal.string(other))
                replacement.replace(replaced)
                replacement = replaced


def months_later(tree: exp.Expr) -> None:
    """`day + to_months(n)`: add_months."""
    for node in _calls(tree, "to_months"):
        added = node.parent
        if not isinstance(added, exp.Add) or added.expression is not node:
            raise PerinatalError(f"Spark: to_months stands where no rule knows it: {tree.sql('duckdb')[:200]}")
        added.replace(exp.AddMonths(this=added.this, expression=node.expressions[0]))


def parts_of_lists(tree: exp.Expr) -> None:
    """`list[n]` is NULL where a list has no such part; in Spark that is an error, but for `get`."""
    for node in _inside_out(tree, exp.Bracket):
        if len(node.expressions) == 1 and not isinstance(node.expressions[0], exp.Slice):
            [place] = node.expressions
            # sqlglot counts literals from 0, as Spark does, but not what is computed
            if not place.is_number:
                place = exp.Sub(this=exp.Paren(this=place), expression=exp.Literal.number(1))
            node.replace(exp.Anonymous(this="get", expressions=[node.this, place]))


def places_in_lists(tree: exp.Expr) -> None:
    """`lambda x, place: …`: places count from 1; in Spark from 0."""
    for node in _inside_out(tree, exp.Lambda):
        if len(node.expressions) == 2 and isinstance(node.parent, exp.Transform | exp.ArrayFilter):
            name = node.expressions[1].name
            for used in [one for one in node.this.find_all(exp.Identifier) if one.name == name]:
                place = used.parent if isinstance(used.parent, exp.Column) else used
                place.replace(exp.paren(exp.Add(this=place.copy(), expression=exp.Literal.number(1))))


def words_in_lists(tree: exp.Expr) -> None:
    """`list_contains(list, x)` is false where a list has no x but a NULL; in Spark it is NULL then."""
    for node in _inside_out(tree, exp.ArrayContains):
        node.set("this", exp.Anonymous(this="array_compact", expressions=[node.this]))


def values_by_place(tree: exp.Expr) -> None:
    """`min_by` and `max_by` pass over rows without a value; in Spark only over those without a place."""
    for node in _inside_out(tree, exp.ArgMin, exp.ArgMax):
        is_given = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.null()))
        node.set("expression", exp.Case(ifs=[exp.If(this=is_given, true=node.expression)]))


def sorted_lists(tree: exp.Expr) -> None:
    """`array_agg(x order by x, …)`: Spark's lists are collected in no order, so the list is sorted."""
    for node in _inside_out(tree, exp.ArrayAgg):
        order = node.this
        if isinstance(order, exp.Order):
            value, is_set = order.this, isinstance(order.this, exp.Distinct)
            value = value.expressions[0] if is_set else value
            first = order.expressions[0]
            if first.this != value or first.args.get("desc"):
                raise PerinatalError(f"Spark: a list in another order than its values': {node.sql('duckdb')}")
            collect = exp.Anonymous(this="collect_set" if is_set else "collect_list", expressions=[value])
            _wrap(node, collect, "array_sort")


def sums_in_fixed_order(tree: exp.Expr) -> None:
    """`fsum` and `favg`: the same however rows are spread over workers.

    They add from small to large, with what rounding loses carried along.
    """
    for call in _calls(tree, "fsum", "favg"):
        wrapper = SUM_OF_LIST if call.name.lower() == "fsum" else AVERAGE_OF_LIST
        _wrap(call, _list_of_numbers(call.expressions[0]), wrapper)


def _list_of_numbers(value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="collect_list", expressions=[exp.cast(value.copy(), "double")])


def _wrap(node: exp.Expr, aggregate: exp.Expr, function: str) -> None:
    """Put another aggregate in the place of one, and a function around it with its filter and window."""
    outer = node
    while isinstance(outer.parent, exp.Filter | exp.Window) and outer.arg_key == "this":
        outer = outer.parent
    wrapper = exp.Anonymous(this=function)
    outer.replace(wrapper)
    inner = aggregate if outer is node else outer
    if outer is not node:
        node.replace(aggregate)
    wrapper.set("expressions", [inner])


def distinct_counts_over_windows(tree: exp.Expr) -> None:
    """`count(distinct x) over (…)`: the size of a set; Spark counts no distinct values over a window."""
    for node in _inside_out(tree, exp.Count):
        if isinstance(node.parent, exp.Window) and isinstance(node.this, exp.Distinct):
            collect = exp.Anonymous(this="collect_set", expressions=list(node.this.expressions))
            _wrap(node, collect, "size")


def named_windows(tree: exp.Expr) -> None:
    """`over name`, `over (name rows …)`: written out; Spark takes no frame beside a name, nor a minus after it."""
    for node in _inside_out(tree, exp.Window):
        name = node.args.get("alias")
        select = node.find_ancestor(exp.Select)
        if name and select:
            [named] = [one for one in select.args.get("windows") or [] if one.this.name == name.name]
            node.set("alias", None)
            for part in ("partition_by", "order", "spec"):
                if not node.args.get(part):
                    found = named.args.get(part)
                    node.set(part, [one.copy() for one in found] if isinstance(found, list) else found and found.copy())
    for select in tree.find_all(exp.Select):
        select.set("windows", None)


def quantiles(tree: exp.Expr) -> None:
    """`quantile_cont(x, share)`: percentile, which interpolates alike and takes a window."""
    for node in _inside_out(tree, exp.PercentileCont):
        node.replace(exp.Anonymous(this="percentile", expressions=[node.this, node.expression]))


def rounded_numbers(tree: exp.Expr) -> None:
    """`round(x, n)` by arithmetic, as DuckDB does: Spark rounds what it prints, so that 1.005 becomes 1.01, not 1."""
    for node in _inside_out(tree, exp.Round):
        digits = node.args.get("decimals")
        if digits and not digits.is_int:
            raise PerinatalError(f"Spark: round to digits that are no whole number: {node.sql('duckdb')}")
        if digits:
            places = int(digits.sql())
            scale = exp.Literal.number(f"1e{abs(places)}")
            up, down = (exp.Mul, exp.Div) if places >= 0 else (exp.Div, exp.Mul)
            whole = exp.Round(this=up(this=exp.cast(exp.paren(node.this), "double"), expression=scale))
            node.replace(exp.Paren(this=down(this=whole, expression=scale.copy())))


def numbers_in_text(tree: exp.Expr) -> None:
    """`try_cast(text as double)`: Java takes 1d and 2f for numbers, which nobody means."""
    for node in _inside_out(tree, exp.TryCast):
        if node.to.is_type("double"):
            is_java = exp.RegexpLike(this=node.this.copy(), expression=exp.Literal.string("[0-9.][dDfF] *$"))
            node.replace(exp.Case(ifs=[exp.If(this=exp.Not(this=is_java), true=node.copy())]))


def wide_integers(tree: exp.Expr) -> None:
    """`hugeint`, DuckDB's type of a sum of integers: bigint, Spark's; a number that does not fit fails the build."""
    for node in _inside_out(tree, exp.DataType):
        if node.is_type("int128"):
            node.replace(exp.DataType.build("bigint"))


def gamma_quantiles(tree: exp.Expr) -> None:
    """Call a function of ours for the search of the macro `gamma_quantile`: Spark has no lgamma.

    Shape and probability stand in the start of the search, `(ln(probability) + lgamma(shape + 1)) / shape`.
    """
    for node in _calls(tree, "list_reduce"):
        start = node.expressions[2] if len(node.expressions) == 3 else None
        otherwise = start.args.get("default") if isinstance(start, exp.Case) else None
        if not isinstance(otherwise, exp.Div) or not isinstance(node.parent, exp.Exp):
            raise PerinatalError(f"Spark: list_reduce stands where no rule knows it: {node.sql('duckdb')[:200]}")
        logarithm = otherwise.this.find(exp.Ln)
        arguments = [exp.cast(part.copy(), "double") for part in (otherwise.expression, logarithm.this)]
        node.parent.replace(exp.Anonymous(this=GAMMA_QUANTILE, expressions=arguments))


def replaced_columns(tree: exp.Expr) -> None:
    """`* replace (x as a)`: `* except (a), x as a`. The column moves to the end: relations here are read by name."""
    for select in _inside_out(tree, exp.Select):
        found: list[exp.Expr] = []
        for one in select.expressions:
            star = one.this if isinstance(one, exp.Column) else one
            replaced = star.args.get("replace") if isinstance(star, exp.Star) else None
            found += [one, *(replaced or [])]
            if replaced:
                names = [exp.to_identifier(new.alias) for new in replaced]
                star.set("replace", None)
                star.set("except_", [*(star.args.get("except_") or []), *names])
        select.set("expressions", found)


def parts_without_hints(tree: exp.Expr) -> None:
    """`with a as not materialized (…)`: Spark makes a part for each of its readers anyway, and has no such words."""
    for part in tree.find_all(exp.CTE):
        part.set("materialized", None)


RULES: tuple[Callable[[exp.Expr], None], ...] = (
    flat_names,
    parts_without_hints,
    whole_matches,
    numbered_groups,
    months_later,
    gamma_quantiles,
    parts_of_lists,
    places_in_lists,
    words_in_lists,
    values_by_place,
    sorted_lists,
    sums_in_fixed_order,
    distinct_counts_over_windows,
    named_windows,
    quantiles,
    rounded_numbers,
    numbers_in_text,
    wide_integers,
    replaced_columns,
)


def union_by_position(union: exp.Expr, columns: Columns) -> None:
    """`union all by name`: each side gives all columns of both, in one order, NULL where it has none."""
    sides = [union.this, union.expression]
    # of a side that is such a union itself they are known: Spark takes its time over long chains
    known = [side.meta.get("columns") or list(columns(_in_context(side))) for side in sides]
    names = list(dict.fromkeys([*known[0], *known[1]]))
    for key, side, own in zip(("this", "expression"), sides, known, strict=True):
        given = [
            exp.column(name, quoted=True) if name in own else exp.alias_(exp.null(), name, quoted=True)
            for name in names
        ]
        inner = side.this if isinstance(side, exp.Subquery) and not side.alias else side
        union.set(key, exp.select(*given).from_(inner.subquery("side")))
    union.set("by_name", None)
    union.meta["columns"] = names


def _in_context(query: exp.Expr) -> str:
    """Return a query as a statement of its own with the CTEs that it sees, outer ones outside."""
    sql = f"SELECT * FROM ({written(query)})"
    node: exp.Expr | None = query
    while node and (around := node.parent):
        if isinstance(around, exp.With):
            place = next(index for index, cte in enumerate(around.expressions) if cte is node)
            sql = _with(around.expressions[:place], sql)
            node = around.parent
        else:
            with_ = around.args.get("with_")
            sql = _with(with_.expressions, sql) if with_ else sql
            node = around
    return sql


def _with(ctes: Sequence[exp.Expr], sql: str) -> str:
    return f"WITH {', '.join(map(written, ctes))} SELECT * FROM ({sql})" if ctes else sql
