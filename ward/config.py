"""Settings: ``ward.toml``, overridden by the environment (``WARD_*``). Defaults suit one machine."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypedDict
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ward.errors import InvalidError
from ward.language import Language
from ward.machine import machine_zone
from ward.partitions import MOST as MOST_PARTITIONS
from ward.partitions import Partition
from ward.zones import is_zone

PREFIX: Final = "WARD_"
FILE: Final = "ward.toml"
SECRET_PATHS: Final = frozenset({"deadman_url", "deadman_fail_url"})
"""Addresses whose path or query is the key to them."""
ELSEWHERE: Final = ("WARD_TEST_", "WARD_TOKEN", "WARD_CONFIG")
"""Variables of the same prefix that are not settings of the service."""


class SettingsError(InvalidError):
    """A setting that is unknown or impossible; the detail names it, its value and what is allowed."""


def _sub_path(path: str) -> str:
    if "/." in path or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path):
        raise ValueError("must look like /ward: it begins with a slash and does not end with one")
    return path


def _addresses(text: str) -> str:
    listed = [one.strip() for one in text.split(",") if one.strip()]
    for one in listed:
        try:
            ipaddress.ip_network(one)
        except ValueError:
            raise ValueError(f"{one}: addresses or networks are allowed, with commas between") from None
    return ",".join(listed)


def _syslog_url(url: str) -> str:
    parts = urlsplit(url)
    known = parts.scheme in ("tls", "tcp", "udp")
    if not (known and parts.hostname and parts.port) or parts.username:
        raise ValueError("must look like tls://host:6514, tcp://host:601 or udp://host:514")
    return url


def _mqtt_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError("must look like mqtt://host:1883 or mqtts://user:password@host:8883")
    return url


def _mqtt_places(text: str) -> str:
    for one in text.split(",") if text else ():
        parts = urlsplit(f"mqtt://{one.strip()}")
        if not parts.hostname or not parts.port or parts.username or parts.path:
            raise ValueError("must look like host:1883,host:1883")
    return text


def _nats_urls(text: str) -> str:
    for url in text.split(","):
        parts = urlsplit(url.strip())
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise ValueError("must look like nats://host:4222,nats://user:password@host:4222 (or tls://)")
    return text


def _outside_url(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    is_near = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and is_near)):
        raise ValueError("must look like https://host/path (http only on this machine)")
    return url


def _time_zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("must be a time zone such as Europe/Copenhagen")
    return name


class MqttFiles(TypedDict):
    """Paths for TLS with the broker."""

    ca_file: str | None
    cert_file: str | None
    key_file: str | None


class Settings(BaseSettings):
    """Every setting of the service, each ``WARD_NAME`` in the environment and ``name`` in ward.toml."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    http_host: str = Field("127.0.0.1", description="Address the dashboard and the API listen on")
    http_port: int = Field(8080, ge=0, le=65535, description="Port of the dashboard and the API")
    root_path: Annotated[str, AfterValidator(_sub_path)] = Field(
        "", description="Path of a proxy below which the dashboard and the API are, such as /ward"
    )
    trusted_proxies: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1", description="Addresses of proxies whose X-Forwarded-For and -Proto are believed"
    )
    mqtt_url: Annotated[str, AfterValidator(_mqtt_url)] = Field(
        "mqtt://127.0.0.1:1883", description="Broker: mqtt://host:port or mqtts://user:password@host:port"
    )
    mqtt_also: Annotated[str, AfterValidator(_mqtt_places)] = Field(
        "", description="Other addresses of the same cluster of brokers, tried in turn: host:1883,host:1883"
    )
    mqtt_ca_file: Path | None = Field(None, description="Certificate authority of an mqtts broker (PEM)")
    mqtt_cert_file: Path | None = Field(None, description="Ward's own certificate for the broker (PEM)")
    mqtt_key_file: Path | None = Field(None, description="Key of that certificate (PEM)")
    mqtt_files_dir: Path | None = Field(
        None, description="Where Mosquitto's password and ACL files are written (see `ward device`)"
    )
    mqtt_pid_file: Path | None = Field(None, description="Mosquitto's pid file: SIGHUP has it read them")
    mqtt_reload_command: str | None = Field(
        None, description="By what Mosquitto reads them, instead of a pid file"
    )
    devices: Literal["open", "known", "signed"] = Field(
        "open", description="Who may speak: any device, those that were added, or those that sign"
    )
    mqtt_client_id: str = Field(
        "ward", min_length=1, max_length=64, description="Name of the session at the broker"
    )
    data_dir: Path = Field(Path(".ward"), description="Database, snapshots and secrets; its owner's only")
    database_url: str | None = Field(
        None, description="SQLite or PostgreSQL; by default ward.db in the data folder"
    )
    standby: bool = Field(
        False, description="Stand by while another service has this PostgreSQL, and take over when it fails"
    )
    partitions: int = Field(
        1,
        ge=1,
        le=MOST_PARTITIONS,
        description="Into how many parts the wards are divided (`ward engine`)",
    )
    partition: int = Field(0, ge=0, lt=MOST_PARTITIONS, description="Which of them; `ward engine` says it")
    cluster_secret: str | None = Field(
        None, min_length=16, description="By which the processes of a cluster know each other"
    )
    engine_host: str | None = Field(
        None, description="Name by which web processes reach this machine's engines; by default its own"
    )
    notify: Literal["engine", "elsewhere"] = Field(
        "engine", description="Who carries alerts to people: each engine, or processes of `ward notify`"
    )
    mqtt_mapped: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]{0,40}$",
        description="Word below which the broker maps each partition's topics",
    )
    journal_url: Annotated[str, AfterValidator(_nats_urls)] | None = Field(
        None,
        description="Journal in JetStream: nats://host:4222, several with commas; default: the database",
    )
    journal_stream: str = Field(
        "ward-journal", pattern=r"^[A-Za-z0-9_-]{1,60}$", description="Name of the stream that is the journal"
    )
    audit_syslog: Annotated[str, AfterValidator(_syslog_url)] | None = Field(
        None,
        description="Where the audit trail is handed on: tls://host:6514, tcp://host:601, udp://host:514",
    )
    audit_syslog_ca_file: Path | None = Field(None, description="Certificate authority of a tls one (PEM)")
    clock: Literal["wall", "replay"] = Field("wall", description="replay: now = origin + speed * elapsed")
    replay_speed: float = Field(60.0, gt=0, le=3600, description="Speed of the replay clock")
    replay_origin: int | None = Field(None, ge=0, description="ms since 1970 at which a replay began")
    pack: str = Field("default", description="Rules: default, ward-rct-2025 or a TOML file")
    risk_model: str = Field(
        "default", min_length=1, description="Model of the score risk: default, none or a .skops file"
    )
    recordings: Path | None = Field(
        None, description="Folder of recordings (CSV) that clinicians may try rules on; none: what they bring"
    )
    second_person: bool = Field(
        True, description="Whether rules of a ward change only when a second person approves it"
    )
    plan_file: Path | None = Field(
        None, description="Care plan (TOML) of every ward that has none of its own; by default the dashboards"
    )
    lateness_s: float = Field(
        2.0, ge=0, le=60, description="How long evaluation waits for readings on their way"
    )
    queue_size: int = Field(10_000, ge=10, description="Messages that may wait between network and journal")
    snapshot_s: float = Field(60.0, ge=1, description="Seconds between snapshots")
    retention_days: float = Field(90.0, ge=1, description="Days that readings are kept")
    log_retention_days: float = Field(3650.0, ge=1, description="Days that alerts and their log are kept")
    stay_retention_days: float = Field(3650.0, ge=1, description="Days that ended stays are kept, at least")
    audit_retention_days: float = Field(3650.0, ge=1, description="Days that the audit trail is kept")
    delivery_retention_days: float = Field(365.0, ge=1, description="Days that what was told to whom is kept")
    refused_retention_days: float = Field(30.0, ge=1, description="Days that refused messages are kept")
    published_retention_days: float = Field(7.0, ge=1, description="Days that published changes are kept")
    recording_retention_days: float = Field(30.0, ge=1, description="Days that what clinicians bring is kept")
    request_retention_days: float = Field(2.0, ge=1, description="Days that a repeated request is known")
    session_retention_days: float = Field(30.0, ge=1, description="Days that ended sessions are kept")
    tally_retention_days: float = Field(
        1100.0, ge=60, description="Days that what was seen on a ward is kept, by the day, without patients"
    )
    drift_reference_days: int = Field(
        14, ge=7, le=90, description="Of how many complete days a ward's first reference is made"
    )
    trial_readings_m: float = Field(
        25.0, ge=1, le=10_000, description="Million readings of one trial in `ward web`, at the most"
    )
    trial_longest_s: float = Field(
        300.0, ge=1, le=86_400, description="Seconds that a trial in `ward web` may take"
    )
    copy_retention_days: float = Field(
        30.0, ge=1, description="Days that copies from before a change of schema are kept"
    )
    backup_recipients: str | None = Field(
        None, description="For whom backups are encrypted: age1… or SSH keys of one word, with spaces between"
    )
    patient_ref: Literal["as-sent", "pseudonym"] = Field(
        "as-sent", description="pseudonym: of a patient_ref only a keyed hash is kept and shown"
    )
    clock_check: Literal["off", "warn", "require"] = Field(
        "warn", description="Whether an unsynchronised machine clock is told, or makes the service not ready"
    )
    disk_low_mb: float = Field(
        512.0, ge=0, description="Not ready below so much room on the data's disk (or 5 % of a small disk)"
    )
    deadman_url: Annotated[str | None, AfterValidator(_outside_url)] = Field(
        None, description="Asked regularly while the ward is watched (a dead man's switch); a secret"
    )
    deadman_fail_url: Annotated[str | None, AfterValidator(_outside_url)] = Field(
        None, description="Told the reasons when the ward has not been watched for 30 s; a secret"
    )
    deadman_s: float = Field(60.0, ge=1, description="Seconds between the pings of the dead man's switch")
    channels_file: Path | None = Field(
        None, description="Webhooks, MQTT, mail, SMS …: TOML with secrets, its owner's only; default: none"
    )
    language: Language = Field(
        "en", description="Of messages to people and reports on paper: da, en or nb; screens choose their own"
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = Field(
        None, description="Of the wards' clocks, such as Europe/Copenhagen; by default the machine's"
    )
    downtime_min: float = Field(
        15.0, ge=0, le=1440, description="Minutes between downtime sheets in the data folder; 0: none"
    )
    one_sound: str = Field(
        "", description="Wards where one screen sounds for all, with commas between, or *; default: each does"
    )
    session_hours: float = Field(
        12.0, gt=0, le=24, description="Hours after logging in until one must log in again to act"
    )
    session_idle_min: float = Field(
        15.0, ge=0, description="Minutes untouched until a dashboard shows the board only; 0: never"
    )
    public_url: Annotated[str | None, AfterValidator(_outside_url)] = Field(
        None, description="Where browsers find the dashboard (https://host/path), for links and the log-in"
    )
    oidc_issuer: Annotated[str | None, AfterValidator(_outside_url)] = Field(
        None, description="The hospital's log-in (OpenID Connect), by its issuer"
    )
    oidc_client_id: str | None = Field(None, description="ward's name at the hospital's log-in")
    oidc_client_secret: str | None = Field(None, description="ward's secret there")
    oidc_client_secret_file: Path | None = Field(None, description="A file that holds that secret")
    oidc_name: str = Field(
        "Hospital log-in", min_length=1, max_length=60, description="What the log-in page calls it"
    )
    oidc_scope: str = Field("openid profile", description="Which scopes to ask for")
    oidc_claim: str = Field("groups", description="The claim that says what somebody may")
    oidc_grants: str | None = Field(
        None, description="Its values and what they stand for: 'ward-6a=nurse:6A; doctors=clinician'"
    )
    simulator: Literal["off", "allowed"] = Field(
        "off", description="Whether an administrator may start a simulated ward, where no patient is"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged"
    )

    @property
    def part(self) -> Partition:
        """The wards of this process."""
        return Partition(self.partition, self.partitions)

    @property
    def mqtt_files(self) -> MqttFiles:
        """As a connection to the broker takes them."""
        ca, cert, key = (
            str(path) if path else None
            for path in (self.mqtt_ca_file, self.mqtt_cert_file, self.mqtt_key_file)
        )
        return {"ca_file": ca, "cert_file": cert, "key_file": key}

    @property
    def zone(self) -> str:
        """Of the clocks of a ward whose plan says nothing else."""
        return self.time_zone or machine_zone()

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


def settings_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """The file that settings are read from, where there is one: ``WARD_CONFIG``, else ``ward.toml``."""
    named = (os.environ if environ is None else environ).get("WARD_CONFIG")
    path = Path(named or FILE)
    return path if path.exists() else None


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
        except (ValueError, RecursionError) as error:
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
    """The value as it may be shown: a password in a URL becomes ***, and so does a path that is a secret."""
    if (name in SECRET_PATHS or name.endswith("_secret")) and isinstance(value, str):
        return "***"
    if not name.endswith("_url") or not isinstance(value, str):
        return str(value) if isinstance(value, Path) else value
    if name == "journal_url" and "," in value:
        return ",".join(str(mask(name, one.strip())) for one in value.split(","))
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


def leave_to_owner(folder: Path, since: float) -> None:
    """What root made in somebody else's data folder since then (s since 1970) is given to the folder's owner.

    Else the service, which is not root, could not open its database or keys. Links are left alone.
    """
    with contextlib.suppress(OSError):
        owner = folder.stat()
        if os.geteuid() != 0 or owner.st_uid == 0:
            return
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    found = os.fstat(handle)
                    ours = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == 0
                    if ours and found.st_mtime >= since:
                        os.fchown(handle, owner.st_uid, owner.st_gid)
                finally:
                    os.close(handle)
