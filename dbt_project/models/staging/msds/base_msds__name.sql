-- Grain: the publisher's name of a dimension or measure: what this project calls it, and what kind of number
-- it is. The maps and rules are seeds; a name that no rule knows gets the defaults of its kind.
{{ config(materialized="table") }}
with
    counted as (
        select trim(dimension) as dimension, measure, count_of
        from {{ source("landed", "msds__annual") }}
        union all
        select trim(dimension), measure, count_of
        from {{ source("landed", "msds__monthly_data") }}
    ),

    measured as (
        select trim(measure.indicator) as indicator, max(currency.multiplier) as printed_multiplier
        from {{ source("landed", "msds__monthly_measures") }} as measure
        left join {{ ref("msds_currency") }} as currency on trim(measure.currency) = currency.currency
        group by trim(measure.indicator)
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

    -- figures of Hospital Episode Statistics in a workbook of comparisons: another source, whose dimensions are named
    -- alike
    sourced as (
        select
            *,
            if(right(publisher_indicator, 4) = '_HES', 'hes', 'msds') as source_id,
            {{ replace_matches("publisher_indicator", "'_HES$'", "''") }} as name_within_source
        from published
    ),

    named as (
        select
            published.*,
            published.source_id
            || '_'
            || coalesce(
                {{ replace_matches("known.indicator_id", "'^msds_'", "''") }},
                {{ snake_case("published.name_within_source") }}
            ) as sourced_id,
            if(published.source_id = 'msds', coalesce(known.indicator_id, sourced_id), sourced_id) as indicator_id,
            coalesce(known.breakdown, if(published.kind = 'distribution', 'category', 'all')) as breakdown,
            coalesce(known.breakdown_value, 'all') as breakdown_value
        from sourced as published
        left join
            {{ ref("indicator_source_map") }} as known
            on known.source_id = 'msds'
            and lower(published.name_within_source) = lower(known.publisher_indicator)
    )

select
    named.* exclude (sourced_id),
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
left join
    {{ ref("msds_indicator_rule") }} as rule
    on {{ matches_whole("replace(named.indicator_id, 'hes_', 'msds_')", "rule.pattern") }}
qualify row_number() over (partition by named.publisher_indicator, named.kind order by rule.place) = 1
