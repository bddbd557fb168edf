# One image for every part of the team server (docker-compose.yml). It holds no secret; all state is in volumes.
FROM python:3.11.14-slim-bookworm AS environment
COPY requirements-bootstrap.lock requirements.lock pyproject.toml README.md LICENSE /src/
WORKDIR /src
# the locked versions, hashes checked, of what a server needs: no development tools
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock \
 && /opt/venv/bin/uv pip install --no-cache --compile-bytecode --python /opt/venv/bin/python \
    --constraint requirements.lock --requirements pyproject.toml --extra team

FROM python:3.11.14-slim-bookworm
# Pango and a font: what board reports are drawn with as PDF
RUN apt-get update && apt-get install -y --no-install-recommends \
    libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 perinatal && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent perinatal \
 && install -d -o 10001 -g 10001 /var/lib/perinatal /var/lib/airflow /var/log/airflow
COPY --from=environment /opt/venv /opt/venv
COPY . /opt/perinatal
RUN /opt/venv/bin/python -m compileall -q /opt/perinatal \
 && install -m 0755 /opt/perinatal/deploy/perinatal.sh /usr/local/bin/perinatal
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/perinatal \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PERINATAL_HOME=/var/lib/perinatal \
    AIRFLOW_HOME=/var/lib/airflow
WORKDIR /var/lib/perinatal
USER 10001:10001
ENTRYPOINT ["/opt/perinatal/deploy/entrypoint.sh"]
CMD ["perinatal", "--help"]
