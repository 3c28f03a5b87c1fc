"""Settings: ``ward.toml``, overridden by the environment (``WARD_*``). Defaults suit one machine."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ward.errors import InvalidError

PREFIX: Final = "WARD_"
FILE: Final = "ward.toml"
ELSEWHERE: Final = ("WARD_TEST_", "WARD_TOKEN", "WARD_CONFIG")
"""Variables of the same prefix that are not settings of the service."""


class SettingsError(InvalidError):
    """A setting that is unknown or impossible; the detail names it, its value and what is allowed."""


def _mqtt_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError("must look like mqtt://host:1883 or mqtts://user:password@host:8883")
    return url


class Settings(BaseSettings):
    """Every setting of the service, each ``WARD_NAME`` in the environment and ``name`` in ward.toml."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    http_host: str = Field("127.0.0.1", description="Address the dashboard and the API listen on")
    http_port: int = Field(8080, ge=0, le=65535, description="Port of the dashboard and the API")
    mqtt_url: Annotated[str, AfterValidator(_mqtt_url)] = Field(
        "mqtt://127.0.0.1:1883", description="Broker: mqtt://host:port or mqtts://user:password@host:port"
    )
    mqtt_ca_file: Path | None = Field(None, description="Certificate authority of an mqtts broker (PEM)")
    mqtt_client_id: str = Field(
        "ward", min_length=1, max_length=64, description="Name of the session at the broker"
    )
    data_dir: Path = Field(Path(".ward"), description="Database, snapshots and secrets; its owner's only")
    database_url: str | None = Field(
        None, description="SQLite or PostgreSQL; by default ward.db in the data folder"
    )
    clock: Literal["wall", "replay"] = Field("wall", description="replay: now = origin + speed * elapsed")
    replay_speed: float = Field(60.0, gt=0, le=3600, description="Speed of the replay clock")
    replay_origin: int | None = Field(None, ge=0, description="ms since 1970 at which a replay began")
    pack: str = Field("default", description="Rules: default, ward-rct-2025 or a TOML file")
    lateness_s: float = Field(
        2.0, ge=0, le=60, description="How long evaluation waits for readings on their way"
    )
    queue_size: int = Field(10_000, ge=10, description="Messages that may wait between network and journal")
    snapshot_s: float = Field(60.0, ge=1, description="Seconds between snapshots")
    retention_days: float = Field(90.0, ge=1, description="Days that readings and ended stays are kept")
    log_retention_days: float = Field(3650.0, ge=1, description="Days that the log of alerts is kept")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged"
    )

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'ward.db').resolve()}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(
    *, file: Path | None = None, environ: Mapping[str, str] | None = None, **given: Any
) -> tuple[Settings, dict[str, str]]:
    """The settings in force, and where each value came from.

    Order: ``given`` (command line), environment, file (``WARD_CONFIG``, else ``ward.toml`` if it is
    there), default. Raises ``SettingsError`` naming every wrong setting.
    """
    environ = os.environ if environ is None else environ
    named = file or (Path(environ["WARD_CONFIG"]) if environ.get("WARD_CONFIG") else None)
    path = named or Path(FILE)
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.model_fields, "default")
    if named or path.exists():
        try:
            values.update(tomllib.loads(path.read_text("utf-8")))
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: not TOML: {error}") from error
        sources.update(dict.fromkeys(values, str(path)))
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and not variable.startswith(ELSEWHERE):
            name = variable.removeprefix(PREFIX).lower()
            values[name] = text
            sources[name] = f"environment ({variable})"
    for name, value in given.items():
        if value is not None:
            values[name] = value
            sources[name] = "command line"
    try:
        return Settings(**values), sources
    except ValidationError as error:
        raise SettingsError(_explain(error, sources)) from error


def _explain(error: ValidationError, sources: Mapping[str, str]) -> str:
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        if problem["type"] == "extra_forbidden":
            allowed = f"there is no such setting; allowed: {', '.join(Settings.model_fields)}"
            lines.append(f"{name} (from {sources.get(name, '?')}): {allowed}")
        else:
            shown = mask(name, problem.get("input"))
            lines.append(f"{name} = {shown!r} (from {sources.get(name, '?')}): {problem['msg']}")
    return "\n".join(lines)


def mask(name: str, value: Any) -> Any:
    """The value as it may be shown: a password in a URL becomes ***."""
    if not name.endswith("_url") or not isinstance(value, str):
        return str(value) if isinstance(value, Path) else value
    try:
        parts = urlsplit(value)
        if parts.password is None:
            return value
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
    except ValueError:
        return "***"


def prepare_data_dir(folder: Path) -> Path:
    """Make the data folder, readable by its owner only. Raises ``SettingsError``."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"data_dir = {str(folder)!r}: {error.strerror}") from error
    return folder
