-- Grain: that of marts.board_dashboard: the whole dashboard of trusts with a board return, public rows and their
-- own, so that a board has one page. A public blank gives way where the return reports the measure.
with
    {{ board_measures(ref("restricted_trust_indicator")) }},

    returned as (select * exclude (programme_target), programme_target as target, null::varchar as position from newest)

select *
from returned
union all by name
select public.*
from {{ ref("board_dashboard") }} as public
where
    public.trust_code in (select trust_code from returned)
    and (
        public.indicator_id is not null
        or (public.trust_code, public.measure_id) not in (select trust_code, measure_id from returned)
    )
