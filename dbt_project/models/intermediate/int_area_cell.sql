-- Grain: area × cell: the lower-layer areas (LSOAs) of each local authority by the LMS that they lie in. A cell
-- is the part of a lower-tier authority of 2021 that lies in one CCG of 2021; every authority, of either tier
-- and of other years' boundaries, is a set of cells. An STP that is one LMS gives it its cells; in the North
-- East three LMSs share one STP and the CCG tells (shared_stp_lms).
with
    single_lms as (
        select stp_code_ods, min(lms_code) as lms_code from {{ ref("lms") }} group by stp_code_ods having count(*) = 1
    ),

    cells as (
        select
            part.ltla21_code || '-' || part.ccg21_code as cell,
            part.ltla21_code,
            part.utla21_code,
            part.lsoas::integer as lsoas,
            coalesce(single_lms.lms_code, shared.lms_code) as lms_code,
            single_lms.lms_code is null as is_by_name
        from {{ ref("ltla_stp") }} as part
        left join single_lms using (stp_code_ods)
        left join {{ ref("shared_stp_lms") }} as shared using (ccg21_code)
    ),

    areas as (
        select ltla21_code as area_code, cell
        from cells
        union
        select utla21_code, cell
        from cells
        union
        select part.area_code, cells.cell
        from {{ ref("area_part") }} as part
        inner join cells using (ltla21_code)
    )

select areas.area_code, cells.cell, cells.utla21_code, cells.lms_code, lms.region_code, cells.lsoas, cells.is_by_name
from areas
inner join cells using (cell)
inner join {{ ref("lms") }} as lms using (lms_code)
