"""Ask Airflow's API whether a part of it is healthy: `health.py [scheduler|dag_processor|triggerer]`.

Costs a few milliseconds; `airflow jobs check` would import all of Airflow every time.
"""

import json
import os
import sys
import urllib.request

address = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].replace("/execution/", "/api/v2/monitor/health")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with opener.open(address, timeout=5) as answer:
    parts = json.load(answer)
wanted = sys.argv[1:] or ["metadatabase"]
unhealthy = [part for part in wanted if (parts.get(part) or {}).get("status") != "healthy"]
sys.exit(f"not healthy: {', '.join(unhealthy)}" if unhealthy else 0)
