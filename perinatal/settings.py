"""Settings: typed, from `PERINATAL_*` environment variables or `perinatal.toml`, listed by `perinatal settings`."""

from __future__ import annotations

import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from perinatal.errors import PerinatalError
from perinatal.printable import redacted

SIZE = r"\d+(\.\d+)? ?[KMGT]i?B"

PROJECT_ROOT = Path(__file__).resolve().parents[1]


def _with_its_kind(address: str) -> str:
    """Return an address that says what it is, as `mailto://…`; it is never repeated, because it may hold a token."""
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", address, re.IGNORECASE):
        raise ValueError("this address lacks its kind; write e.g. mailto://… or https://…")
    return address


AlertAddress = Annotated[str, AfterValidator(_with_its_kind)]


Engine = Literal["duckdb", "spark"]


class Settings(BaseSettings):
    """All settings. The environment wins over `perinatal.toml`, which wins over the defaults."""

    model_config = SettingsConfigDict(env_prefix="PERINATAL_", toml_file="perinatal.toml", extra="forbid")

    home: Path = Field(Path("var"), description="Folder that holds all state (archive, landed, editions …)")
    mode: Literal["inbox", "sample", "live"] = Field(
        "inbox", description="What `refresh` and `fetch` do without a flag: inbox, sample or live"
    )
    keep_editions: int = Field(5, ge=1, description="Published editions kept; older ones are pruned")
    keep_log_days: int = Field(
        30, ge=1, description="Days that logs of Airflow's tasks, and runs in Airflow's database, are kept"
    )
    hold_on_change: bool = Field(
        False,
        description="Hold an edition in which an ambition's headline or more than 5% of verdicts change until a person "
        "signs it: `perinatal build --sign NAME`",
    )
    disk_guard: bool = Field(True, description="Refuse to begin a build for which the disk has no room")
    engine: Engine = Field(
        "duckdb", description="What runs the models of a build: duckdb, or spark (docs/scale.md says when)"
    )
    spark_master: str = Field(
        "local[*]", description="Spark master of a build with engine spark: local[*], spark://host:7077 …"
    )
    spark_memory: str = Field(
        "2g", pattern=r"^\d+[mg]$", description="Memory of Spark's driver and of each executor, e.g. 2g"
    )
    threads: int = Field(
        0,
        ge=0,
        description="Models and workbooks made at a time by a build, threads of a landing; 0: one for each core",
    )
    memory_limit: str = Field(
        "40%", pattern=rf"^{SIZE}$|^\d+(\.\d+)?%$", description="DuckDB memory limit for a build, e.g. 4GB or 40%"
    )
    landing_memory_limit: str = Field(
        "300MB", pattern=rf"^{SIZE}$", description="DuckDB memory limit while landing one file, e.g. 300MB"
    )
    alert_urls: list[AlertAddress] = Field(
        default=[], description="Apprise URLs that hear of every alert (e-mail, Teams, Slack, webhook, file …)"
    )
    lms_alert_urls: dict[str, list[AlertAddress]] = Field(
        default={}, description="Apprise URLs by LMS code: each hears of the alerts that concern its own trusts"
    )
    portal_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Address of the published portal/ folder, for the links of its Atom feeds; empty: relative links",
    )
    storage_url: str = Field(
        "",
        description="Shared store for archive, landed releases and editions, e.g. s3://bucket/perinatal; empty: none. "
        "Keys and endpoint come from the store's own variables (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL …)",
    )
    lineage_url: str = Field(
        "",
        pattern=r"^((https?|file)://\S+)?$",
        description="Where OpenLineage events of dbt and of Airflow's tasks go, e.g. file:///var/log/lineage.jsonl or "
        "https://marquez.example; empty: none",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Lines of progress: text, or json with time, level, edition, source, run and step"
    )
    contact: str = Field(
        "no contact given", description="Who publishers can write to; sent in the User-Agent of every request"
    )
    airflow_port: int = Field(8080, ge=1, le=65535, description="Loopback port of Airflow's pages for `perinatal up`")
    portal_port: int = Field(8765, ge=1, le=65535, description="Loopback port of the portal")

    ca_bundle: str | None = Field(
        None, description="CA bundle to verify publishers with; without it REQUESTS_CA_BUNDLE, or the bundled one"
    )
    download_seconds: float = Field(1800, gt=0, description="Time limit of one download with all its attempts")
    download_max_bytes: int = Field(4 << 30, gt=0, description="Size limit of one download")
    inbox_quiet_seconds: float = Field(
        2, ge=0, description="How long a file in the inbox must not have grown before it is taken"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take arguments first, then the environment, then `perinatal.toml`."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def log_format() -> str:
    """Return how lines of progress are printed; text where the settings cannot be read: that is a line too."""
    try:
        return get().log_format
    except PerinatalError:
        return "text"


SECRET = ("alert_urls", "lms_alert_urls")


def shown(name: str, value: object) -> str:
    """Return a setting's value as it may be shown: addresses that hold credentials are only counted."""
    if name in SECRET:
        urls = value if isinstance(value, list) else [url for own in dict(value).values() for url in own]  # type: ignore[call-overload]
        return f"{len(urls)} address(es), not shown"
    return redacted(str(value))


def choose(**values: object) -> None:
    """Set settings for this process, as an option of a command does: others that it starts hear of them too."""
    for name, value in values.items():
        os.environ[f"PERINATAL_{name.upper()}"] = str(value)
    get.cache_clear()


@cache
def get() -> Settings:
    """Return the settings of this process; one clear line for each wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        lines = "; ".join(
            f"PERINATAL_{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in error.errors()
        )
    except SettingsError as error:  # lists are given as JSON
        named = re.search(r'field "(\w+)"', str(error))
        lines = f"PERINATAL_{named[1].upper()}: expected JSON" if named else str(error)
    except tomllib.TOMLDecodeError as error:
        lines = f"perinatal.toml: {error}"
    raise PerinatalError(f"settings: {lines}. `perinatal settings` lists what may be set.")
