{#-
  CUSUM of events against a reference rate for a doubling, and the excess events beside it: the aim of NHS
  England's Maternity Outcomes Signal System, on open data.
-#}
{#-
  The height of a signal at a confidence of 95 or 99%: ln(1 / (1 - confidence)). The statistic is a
  log-likelihood ratio that starts at 0, so a process at the reference rate climbs that high from there with
  a probability of at most 1 - confidence (Ville's inequality).
-#}
{% macro cusum_threshold(confidence) -%} {{ {95: "ln(20e0)", 99: "ln(100e0)"}[confidence] }} {%- endmacro %}

{#-
  CUSUM of every series, over `relation` (a name, a ref or a bracketed query): every column of the relation
  plus
    cusum_expected (reference x n), cusum (max(0, before + x ln 2 - expected), Poisson log-likelihood ratio
    of twice the reference rate), cusum_signal ('red' at 99%, 'amber' at 95%, else null), excess_events (sum
    of x - expected since the start; never reset).
  After a red the next point starts again from 0. `series` lists the columns that name one series,
  `position` orders it, `x` events, `n` births, `reference` the reference rate (a fraction, an expression).
  A point with a missing count adds nothing. One recursive step a period, each over all series at once, so
  that sums are added in the order of time however the work is cut.
-#}
{% macro cusum(relation, series, position, x, n, reference) -%}
    {%- set in_time -%}
        {{ partition_clause(series) }} order by {{ position }}
    {%- endset -%}
    (
        with recursive
            numbered as (
                select
                    *,
                    dense_rank() over (order by {{ series | join(", ") if series else "1" }}) as cusum_series,
                    row_number() over ({{ in_time }}) as cusum_number,
                    ({{ n }})::double * ({{ reference }}) as cusum_expected,
                    ({{ x }})::double - cusum_expected as cusum_excess,
                    coalesce(({{ x }})::double * ln(2e0) - cusum_expected, 0) as cusum_weight
                from {{ relation }}
            ),
            walked as (
                select
                    cusum_series,
                    1::bigint as cusum_number,
                    greatest(0, cusum_weight) as cusum,
                    cusum_excess as excess_events
                from numbered
                where cusum_number = 1
                union all
                select
                    after.cusum_series,
                    after.cusum_number,
                    greatest(0, if(walked.cusum >= {{ cusum_threshold(99) }}, 0, walked.cusum) + after.cusum_weight),
                    coalesce(walked.excess_events + after.cusum_excess, walked.excess_events, after.cusum_excess)
                from walked
                join
                    numbered as after
                    on after.cusum_series = walked.cusum_series
                    and after.cusum_number = walked.cusum_number + 1
            )
        select
            numbered.* exclude (cusum_series, cusum_number, cusum_excess, cusum_weight),
            walked.cusum,
            case
                when walked.cusum >= {{ cusum_threshold(99) }}
                then 'red'
                when walked.cusum >= {{ cusum_threshold(95) }}
                then 'amber'
            end as cusum_signal,
            walked.excess_events
        from numbered
        join walked on walked.cusum_series = numbered.cusum_series and walked.cusum_number = numbered.cusum_number
    )
{%- endmacro %}
