-- Grain: trust × period × indicator that counts babies, of the Maternity Services Data Set: those where the trust has
-- sent only a part of its babies, or some of them twice: against MBRRACE-UK's births of the same or a neighbouring
-- year (predecessors' births counted with
-- the trust's), or against the trust's own deliveries.
with
    totals as (
        select
            organisation_code as trust_code,
            period_start,
            period_end,
            12.0 / {{ months_of("period_start", "period_end") }} as per_year,
            sum(numerator) filter (where indicator_id = 'msds_total_babies') as babies,
            sum(numerator) filter (where indicator_id = 'msds_total_deliveries') as deliveries
        from {{ ref("int_observation") }}
        where
            source_id = 'msds'
            and level = 'trust'
            and exclusion_rule is null
            and publisher_status is null
            and indicator_id in ('msds_total_babies', 'msds_total_deliveries')
        group by all
    ),

    national as (
        select period_start, period_end, sum(babies) / sum(deliveries) as babies_per_delivery
        from totals
        where babies > 0 and deliveries > 0
        group by all
    ),

    -- births to the hundred where a cell is masked: only parts of a third matter here
    births as (
        select
            trust.today_code,
            extract(year from observation.period_start) as year,
            sum(coalesce(observation.denominator, observation.least_denominator)) as births
        from {{ ref("int_observation") }} as observation
        inner join
            {{ ref("bridge_organisation_today") }} as trust
            on observation.organisation_code = trust.code
            and not trust.is_split
        where
            observation.source_id = 'mbrrace'
            and observation.indicator_id = 'extended_perinatal_mortality_rate'
            and observation.level = 'trust'
            and observation.exclusion_rule is null
        group by all
    ),

    -- trusts that have merged since are looked at together: births may stand under one, babies under the other
    together as (
        select trust.today_code, totals.period_start, totals.period_end, sum(totals.babies * totals.per_year) as babies
        from totals
        inner join
            {{ ref("bridge_organisation_today") }} as trust on totals.trust_code = trust.code and not trust.is_split
        group by all
    ),

    outside as (
        select together.today_code, together.period_start, together.period_end
        from together
        inner join
            births
            on together.today_code = births.today_code
            and abs(births.year - extract(year from together.period_start)) <= 1
        group by all
        having bool_and(together.babies not between 0.7 * births.births and 1.3 * births.births)
    ),

    counts_babies as (select distinct indicator_id from {{ ref("base_msds__name") }} where counted = 'babies'),

    about_babies as (
        select indicator_id
        from counts_babies
        union
        select outcome.indicator_id
        from {{ ref("msds_outcome") }} as outcome
        inner join counts_babies on outcome.dimension_id = counts_babies.indicator_id
    )

select totals.trust_code, totals.period_start, totals.period_end, about_babies.indicator_id
from totals
left join {{ ref("bridge_organisation_today") }} as trust on totals.trust_code = trust.code and not trust.is_split
left join outside using (today_code, period_start, period_end)
left join national using (period_start, period_end)
cross join about_babies
where
    outside.today_code is not null
    -- a release whose deliveries are short everywhere says nothing about one trust
    or (
        national.babies_per_delivery <= 1.1
        and totals.babies / nullif(totals.deliveries, 0) > 1.1 * national.babies_per_delivery
    )
