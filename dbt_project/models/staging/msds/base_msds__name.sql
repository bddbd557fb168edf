-- Grain: the publisher's name of a dimension or measure: what this project calls it, and what kind of number
-- it is. The maps and rules are seeds; a name that no rule knows gets the defaults of its kind.
{{ config(materialized="table") }}
with
    counted as (
        select dimension, measure, count_of
        from {{ source("landed", "msds__annual") }}
        union all
        select dimension, measure, count_of
        from {{ source("landed", "msds__monthly_data") }}
    ),

    measured as (
        select measure.indicator, max(currency.multiplier) as printed_multiplier
        from {{ source("landed", "msds__monthly_measures") }} as measure
        left join {{ ref("msds_currency") }} as currency on measure.currency = currency.currency
        group by measure.indicator
    ),

    published as (
        select
            dimension as publisher_indicator,
            case
                when bool_or(measure is not null)
                then 'distribution'
                when bool_or(lower(count_of) like 'average%')
                then 'average'
                else 'total'
            end as kind,
            max(lower(count_of)) as counted,
            null::integer as printed_multiplier
        from counted
        group by dimension
        union all
        select indicator, 'measure', null, printed_multiplier
        from measured
    ),

    named as (
        select
            published.*,
            coalesce(known.indicator_id, 'msds_' || {{ snake_case("published.publisher_indicator") }}) as indicator_id,
            coalesce(known.breakdown, if(published.kind = 'distribution', 'category', 'all')) as breakdown,
            coalesce(known.breakdown_value, 'all') as breakdown_value
        from published
        left join
            {{ ref("indicator_source_map") }} as known
            on known.source_id = 'msds'
            and lower(published.publisher_indicator) = lower(known.publisher_indicator)
    )

select
    named.*,
    rule.pattern,
    rule.indicator_name,
    rule.concept_id,
    rule.definition,
    rule.definition_url,
    rule.polarity,
    rule.numerator_definition,
    rule.denominator_definition,
    rule.series_break,
    rule.rolling_months,
    coalesce(
        rule.statistic, case named.kind when 'average' then 'mean' when 'total' then 'count' else 'proportion' end
    ) as statistic,
    -- the scale of the catalogue, else that of the publisher
    coalesce(
        catalogue.multiplier,
        case when named.kind = 'distribution' then 100 else coalesce(named.printed_multiplier, 1) end
    )::double as multiplier,
    rule.unit
from named
left join {{ ref("indicator") }} as catalogue using (indicator_id)
left join {{ ref("msds_indicator_rule") }} as rule on {{ matches_whole("named.indicator_id", "rule.pattern") }}
qualify row_number() over (partition by named.publisher_indicator, named.kind order by rule.place) = 1
