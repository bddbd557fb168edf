-- Grain: predecessor × successor. A trust that was split has several rows.
select predecessor_code, successor_code, effective_date as effective_from, source, confidence
from {{ ref("trust_succession") }}
order by effective_date, predecessor_code, successor_code
