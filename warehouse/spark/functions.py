"""The functions that Spark lacks and the rules call: two in SQL, one in Python over Arrow's arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SUM_OF_LIST = "sum_of_list"
AVERAGE_OF_LIST = "average_of_list"
GAMMA_QUANTILE = "gamma_quantile"

# numbers from small to large, with what rounding loses carried along (Kahan); NULL of an empty list
SUM = """
aggregate(
    sort_array(numbers),
    named_struct('total', cast(null as double), 'lost', 0e0),
    (sofar, x) -> named_struct(
        'total', coalesce(sofar.total, 0e0) + (x - sofar.lost),
        'lost', (coalesce(sofar.total, 0e0) + (x - sofar.lost)) - coalesce(sofar.total, 0e0) - (x - sofar.lost)
    ),
    sofar -> sofar.total
)
"""
IN_SQL = {
    f"{SUM_OF_LIST}(numbers array<double>)": SUM,
    f"{AVERAGE_OF_LIST}(numbers array<double>)": f"{SUM} / size(numbers)",
}


def gamma_quantile(shape: pa.Array, probability: pa.Array) -> pa.Array:
    """Return the gamma(shape, 1) quantile of each probability; NULL where the shape is NULL or not above 0."""
    import numpy as np
    from scipy.special import gammaincinv

    shapes, probabilities = (column.to_numpy(zero_copy_only=False) for column in (shape, probability))
    quantiles = gammaincinv(np.where(shapes > 0, shapes, np.nan), probabilities)
    return pa.array(quantiles, from_pandas=True)


def register(spark: SparkSession) -> None:
    """Make the functions known to a session."""
    from pyspark.sql.functions import arrow_udf

    for signature, body in IN_SQL.items():
        spark.sql(f"create or replace temporary function {signature} returns double return {body}")
    spark.udf.register(GAMMA_QUANTILE, arrow_udf(gamma_quantile, "double"))
