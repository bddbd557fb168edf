{#-
  Verdicts: whose they are, and on what (docs/methods.md). The marts' last step before their
  trend: see `with_verdict`.
-#}
{# The words of a row that keep our own verdict from it: its value is not believable. #}
{% macro is_unbelievable(words) -%}
    (
        {% for word in ["implausible", "low_coverage", "partial_submission", "trusts_missing"] %}
            {{ has_word(words, "'" ~ word ~ "'") }} {{ "or" if not loop.last }}
        {% endfor %}
    )
{%- endmacro %}

{# The word for a value above (1) or below (-1) its comparator, by polarity. #}
{% macro verdict_word(direction, polarity) -%}
    case
        when {{ direction }} = 0
        then 'similar'
        when ({{ direction }} > 0) = ({{ polarity }} = 'low')
        then 'worse'
        else 'better'
    end
{%- endmacro %}

{# The publisher's verdict of a row: MBRRACE-UK's category of the stabilised & adjusted rate (2, 3 better, 4 similar, 5
   worse), Fingertips' comparison with England. #}
{% macro publisher_verdict(source_id, level, adjusted_band, band) -%}
    case
        when {{ source_id }} = 'mbrrace'
        then
            case
                when {{ adjusted_band }} in (2, 3)
                then 'better'
                when {{ adjusted_band }} = 4
                then 'similar'
                when {{ adjusted_band }} = 5
                then 'worse'
            end
        -- its comparison of England with itself says nothing
        when {{ source_id }} = 'fingertips' and {{ level }} <> 'england'
        then
            case
                when lower({{ band }}) in ('better', 'similar', 'worse')
                then lower({{ band }})
                when {{ matches(band, "'^(Better|Worse) (95|99.8)%$'") }}
                then lower(split_part({{ band }}, ' ', 1))
            end
    end
{%- endmacro %}

{# Months that a value covers: three where it is a rolling window (the publisher prints it under its last month). #}
{% macro months_covered(words, period_start, period_end) -%}
    case when {{ has_word(words, "'rolling_window'") }} then 3 else {{ months_of(period_start, period_end) }} end
{%- endmacro %}

{# The least (`low`) or greatest count that a published one may stand for, where its publisher rounds (`rounding_…`, of
   reference.count_rounding) and it is the sum of `counts_added`. #}
{% macro count_before_rounding(count, side) -%}
    {%- if side == "low" -%}
        case
            when counts_added = 1 and {{ count }} > rounding_nearest
            then {{ count }} - floor(rounding_nearest / 2)
            else greatest(0, {{ count }} + counts_added * (rounding_least - rounding_nearest))
        end
    {%- else -%}
        case
            when {{ count }} > 0
            then
                {{ count }} + counts_added * greatest(rounding_greatest - rounding_nearest, floor(rounding_nearest / 2))
            else 0
        end
    {%- endif -%}
{%- endmacro %}

{#-
  The relation with its verdicts. It needs: source_id, indicator_id, level, period_start, period_end, breakdown,
  breakdown_value, numerator, denominator, value, lower_95, upper_95, method, value_min, value_max, bound_denominator,
  adjusted_value, publisher_adjusted_band, publisher_band, publisher_comparator (the publisher's own comparator of the row),
  effective_comparator, england_coverage, statistic, multiplier, polarity, is_mortality, is_suppressed, usage_warnings,
  counts_added (of how many published counts a row's are the sum), and how its publisher rounds: rounding_nearest,
  rounding_least, rounding_greatest (reference.count_rounding).

  An incomplete sum (no value, and bounds) has a verdict where both bounds lie on one side of the comparator: that of the
  nearer bound, by the least denominator that the bounds allow. Where counts are rounded and those that they stand for may lie
  on the other side of the comparator (5 of 5 may be 1 of 7), the row is similar.

  Ours is with over-dispersion (Spiegelhalter; z-scores winsorised at 10% each end; at least 20 organisations with a
  believable value): on the arcsine scale for proportions, the square root for rates, where the sampling variance of
  either is 1 / 4n.
-#}
{% macro with_verdict(relation) -%}
    {%- set funnel = "source_id, indicator_id, level, period_start, period_end, breakdown, breakdown_value" -%}
    (
        with
            scaled as {{ made_for_each_reader() }} (
                select
                    *,
                    effective_comparator / multiplier as baseline,
                    (
                        polarity in ('low', 'high')
                        and not is_mortality
                        and source_id <> 'nmpa'
                        and method in ('Wilson', 'Exact', 'Byar')
                        and numerator is not null
                        and denominator > 0
                        and effective_comparator is not null
                        and not {{ is_unbelievable("usage_warnings") }}
                    ) as takes_part,
                    -- the share that is judged, and of how many: an incomplete sum's is its nearer bound
                    case
                        when takes_part
                        then numerator / denominator
                        when value is null and value_min > effective_comparator
                        then value_min / multiplier
                        when value is null and value_max < effective_comparator
                        then value_max / multiplier
                    end as share,
                    case when takes_part then denominator when share is not null then bound_denominator end as size,
                    case
                        when statistic = 'proportion'
                        then asin(sqrt(least(1, share))) - asin(sqrt(least(1, baseline)))
                        else sqrt(share) - sqrt(baseline)
                    end as distance,
                    takes_part
                    and rounding_nearest is not null
                    and {{ count_before_rounding("numerator", "low") }}
                    <= baseline * {{ count_before_rounding("denominator", "high") }}
                    and {{ count_before_rounding("numerator", "high") }}
                    >= baseline * {{ count_before_rounding("denominator", "low") }} as may_be_rounding,
                    4 * size as weight,
                    distance * sqrt(weight) as z_score
                from {{ relation }}
            ),

            funnels as (
                select
                    {{ funnel }},
                    {{ quantile("z_score", 0.1) }} as z_low,
                    {{ quantile("z_score", 0.9) }} as z_high,
                    count(*) as organisations,
                    {{ compensated("sum", "weight") }} as weights,
                    {{ compensated("sum", "weight * weight") }} as squared_weights
                from scaled
                where takes_part
                group by all
                having count(*) >= 20
            ),

            dispersed as (
                select
                    {{ funnel }},
                    any_value(organisations) as organisations,
                    any_value(weights) as weights,
                    any_value(squared_weights) as squared_weights,
                    {{ compensated("avg", "pow(greatest(z_low, least(z_high, z_score)), 2)") }} as phi
                from scaled
                inner join funnels using ({{ funnel }})
                where takes_part
                group by {{ funnel }}
            ),

            spread as (
                select
                    {{ funnel }},
                    case
                        when phi > 1
                        then (organisations * phi - (organisations - 1)) / (weights - squared_weights / weights)
                        else 0
                    end as tau2
                from dispersed
            ),

            reached as (
                select
                    scaled.*,
                    {{ publisher_verdict("source_id", "level", "publisher_adjusted_band", "publisher_band") }}
                    as theirs,
                    {% for level, suffix in [(95, "95"), (99.8, "998")] %}
                        {{ z_value(level) }} * sqrt(1 / weight + tau2) as own_reach_{{ suffix }},
                        case
                            when
                                source_id = 'nmpa' and publisher_comparator between 0 and multiplier and denominator > 0
                            then {{ z_value(level) }} * sqrt(baseline * (1 - baseline) / denominator) * multiplier
                        end as adjusted_reach_{{ suffix }},
                    {% endfor %}
                    adjusted_value - publisher_comparator as adjusted_distance
                from scaled
                left join spread using ({{ funnel }})
            ),

            decided as (
                select
                    *,
                    case
                        when polarity is null or polarity not in ('low', 'high')
                        then null
                        when theirs is not null
                        then 'publisher'
                        when is_mortality or is_suppressed or {{ is_unbelievable("usage_warnings") }}
                        then null
                        when source_id = 'nmpa'
                        then
                            case
                                when adjusted_distance is not null and adjusted_reach_95 is not null
                                then 'publisher_adjusted_rate'
                            end
                        when coalesce(england_coverage, 1) < 0.7
                        then null
                        when own_reach_95 is not null
                        then 'own'
                    end as verdict_basis,
                    case
                        when verdict_basis = 'publisher_adjusted_rate'
                        then {{ beyond("adjusted_distance", "adjusted_reach_95") }}
                        when may_be_rounding
                        then 0
                        when own_reach_95 is not null
                        then {{ beyond("distance", "own_reach_95") }}
                    end as direction,
                    case
                        when verdict_basis = 'publisher_adjusted_rate'
                        then {{ beyond("adjusted_distance", "adjusted_reach_998") }} <> 0
                        when verdict_basis = 'own'
                        then direction <> 0 and {{ beyond("distance", "own_reach_998") }} <> 0
                    end as is_beyond_998
                from reached
            )

        select
            * exclude (
                baseline,
                takes_part,
                share,
                size,
                distance,
                may_be_rounding,
                counts_added,
                rounding_nearest,
                rounding_least,
                rounding_greatest,
                weight,
                z_score,
                theirs,
                own_reach_95,
                own_reach_998,
                adjusted_reach_95,
                adjusted_reach_998,
                adjusted_distance,
                direction,
                is_beyond_998
            ),
            case
                when verdict_basis = 'publisher'
                then theirs
                when verdict_basis is not null
                then {{ verdict_word("direction", "polarity") }}
            end as verdict,
            case when verdict_basis <> 'publisher' then if(is_beyond_998, '99.8', '95') end as verdict_level,
            case
                when not is_mortality then {{ comparison("lower_95", "upper_95", "effective_comparator", "polarity") }}
            end as comparison,
            {{ excess() }} as excess
        from decided
    )
{%- endmacro %}

{# Whether a distance reaches beyond a limit on either side: 1, 0 or -1. #}
{% macro beyond(distance, reach) -%}
    case when abs({{ distance }}) > {{ reach }} then sign({{ distance }}) when {{ reach }} is not null then 0 end
{%- endmacro %}

{# Events a year above what the comparator gives, positive where that is worse. None where numerator or denominator does
   not ship (either could be worked back), or the value is not believable. By the publisher's adjusted rate where there
   is one, and never by the crude rate of deaths. #}
{% macro excess() -%}
    case
        when
            polarity in ('low', 'high')
            and statistic in ('rate', 'proportion')
            and numerator is not null
            and denominator is not null
            and not {{ is_unbelievable("usage_warnings") }}
        then
            case
                when is_mortality or adjusted_value is not null
                then denominator * (adjusted_value - publisher_comparator) / multiplier
                else numerator - denominator * baseline
            end
            * case polarity when 'low' then 1 else -1 end
            * 12
            / {{ months_covered("usage_warnings", "period_start", "period_end") }}
    end
{%- endmacro %}
