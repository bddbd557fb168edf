-- Grain: one row for each of the 44 LMSs of 2020. Three in the North East share one STP and ICB code.
select
    lms.lms_code,
    lms.lms_name,
    lms.stp_code_ods,
    lms.stp_code_ons_2020,
    lms.region_code,
    lms.nhs_region as region_name,
    lms.stp_code_ods as icb_code,
    lms.icb_2024_name as icb_name,
    lms.icb_2024_ons as icb_code_ons,
    lms.psn_ahsn as patient_safety_network,
    lms.psn_confidence as patient_safety_network_confidence,
    lms.neonatal_odn as neonatal_network,
    lms.odn_confidence as neonatal_network_confidence,
    lms.scn as clinical_network
from {{ ref("lms") }} as lms
order by lms.lms_code
