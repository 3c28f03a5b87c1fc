"""``ward check``: whether what the service needs is there and right, each with what to do about it."""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from ward.alerts.packs import load_pack
from ward.alerts.plan_file import load_plan
from ward.config import Settings, mask, settings_file
from ward.errors import WardError
from ward.housekeeping import data_folder
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.journal import JournalAwayError
from ward.ingest.tls import context_of, why
from ward.ingest.topics import SUBSCRIPTIONS
from ward.journals import MISSING
from ward.machine import free_bytes, machine_clock, wanted_bytes
from ward.models import OWN, find_risk, risk_file
from ward.notify.config import Parts, load_channels
from ward.protection.keys import recipient
from ward.store import schema
from ward.store.database import open_database
from ward.store.people import has_other_admin

CONNECT_S: Final = 8.0
FIRST_ADMIN: Final = "ward user add NAME --role admin"
Level = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``to_do`` is empty where all is well."""

    what: str
    level: Level
    text: str
    to_do: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one after another; changes nothing."""
    for what, look in CHECKS:
        try:
            yield from look(settings)
        except WardError as error:
            yield Finding(what, "wrong", error.detail.replace("\n", "; "), "set it right, or remove it")
        except (OSError, ValueError, DBAPIError) as error:
            said = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
            yield Finding(what, "wrong", said[0], "see docs/operations.md")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.exists():
        yield Finding("data folder", "ok", f"{folder} will be made at the first start")
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "data folder", "wrong", f"{folder} is open to others ({mode:o})", f"chmod 0700 {folder}"
        )
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("data folder", "wrong", f"{folder} cannot be written", "run as the user who owns it")
    else:
        yield Finding("data folder", "ok", f"{folder}, its owner's only")
    loose = [p.name for p in folder.iterdir() if p.is_file() and stat.S_IMODE(p.stat().st_mode) & 0o077]
    if loose:
        yield Finding(
            "data folder", "warning", f"others may read {', '.join(sorted(loose))}", f"chmod 0600 in {folder}"
        )


def _file(settings: Settings) -> Iterator[Finding]:
    """The file of settings itself: what it holds is everybody's who may read it."""
    path = settings_file()
    if path is None:
        yield Finding("settings", "ok", "no ward.toml: all of them by the environment or as they come")
        return
    held = tomllib.loads(path.read_text("utf-8"))
    texts = {name: value for name, value in held.items() if isinstance(value, str)}
    secret = sorted(name for name, value in texts.items() if mask(name, value) != value)
    if secret and stat.S_IMODE(path.stat().st_mode) & 0o007:
        yield Finding(
            "settings", "wrong", f"{path} holds a secret ({', '.join(secret)}), and every user may read it",
            f"chmod 0640 {path}, with the service's group, then change what was to be read there",
        )  # fmt: skip
    else:
        closed = " holds secrets, and is closed to others" if secret else ""
        yield Finding("settings", "ok", f"{path}{closed}")


def _people(settings: Settings) -> Iterator[Finding]:
    """Whether anybody may make users and change rules; nobody can log in before there is one."""
    if settings.oidc_issuer and "=admin" in (settings.oidc_grants or ""):
        yield Finding("people", "ok", "the hospital's log-in names administrators")
    elif _has_admin(settings):
        yield Finding("people", "ok", "there is an administrator")
    else:
        yield Finding(
            "people", "warning", "there is no administrator: nobody can log in to make users", FIRST_ADMIN
        )


def _has_admin(settings: Settings) -> bool:
    if settings.database.startswith("sqlite") and not Path(settings.database.partition(":///")[2]).exists():
        return False
    engine: Engine = open_database(settings.database)
    try:
        with engine.connect() as connection:
            return bool(schema.version(connection)) and has_other_admin(connection, "")
    finally:
        engine.dispose()


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database.startswith("sqlite") and not Path(settings.database.partition(":///")[2]).exists():
        yield Finding("database", "ok", "SQLite; it will be made at the first start")
        return
    engine: Engine = open_database(settings.database)
    try:
        with engine.connect() as connection:
            now, newest = schema.require_usable(connection), schema.newest()
        if now == newest:
            yield Finding("database", "ok", f"{engine.dialect.name}, schema {now}")
        elif now is not None and now > newest:
            said = f"{engine.dialect.name}, schema {now}, beside which this ward ({newest}) may work"
            yield Finding("database", "ok", said)
        else:
            yield Finding(
                "database", "ok",
                f"{engine.dialect.name}, schema {now or 'none yet'}: the next start makes it {newest}",
            )  # fmt: skip
    finally:
        engine.dispose()


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = data_folder(settings)
    while folder is not None and not folder.exists():
        folder = folder.parent
    if folder is None:
        return
    free, wanted = free_bytes(folder), wanted_bytes(folder, settings.disk_low_mb)
    text = f"{free / 1e9:.1f} GB left where the data are"
    if free < wanted:
        yield Finding(
            "disk", "wrong", text, "make room, shorten WARD_RETENTION_DAYS, or move the data folder"
        )
    else:
        yield Finding("disk", "ok", text)


def _clock(settings: Settings) -> Iterator[Finding]:
    if settings.clock_check == "off":
        yield Finding("clock", "ok", "not looked at (WARD_CLOCK_CHECK=off)")
        return
    found = machine_clock()
    if found.synchronised == "no":
        level: Level = "wrong" if settings.clock_check == "require" else "warning"
        yield Finding(
            "clock", level, "the machine's clock is not synchronised",
            "run chrony or systemd-timesyncd (on the host, if this is a container)",
        )  # fmt: skip
    elif found.synchronised == "unknown":
        yield Finding("clock", "ok", "this machine does not tell whether its clock is synchronised")
    else:
        yield Finding("clock", "ok", f"synchronised, to {found.error_s or 0:.1f} s at worst")


def _broker(settings: Settings) -> Iterator[Finding]:
    """With a session that leaves nothing behind, and a name of its own: the service may be running."""
    url = BrokerUrl.parse(settings.mqtt_url)
    refused = _connect(url, settings)
    if refused is not None:
        yield Finding(
            "broker", "wrong", f"{url}: {refused}",
            "is it running? WARD_MQTT_URL (user, password), WARD_MQTT_CA_FILE, its ACL for this user",
        )  # fmt: skip
    elif url.tls or url.host.startswith("127.") or url.host in ("localhost", "::1"):
        yield Finding(
            "broker", "ok", f"{url}, connected and allowed to read{', over TLS' if url.tls else ''}"
        )
    else:
        yield Finding(
            "broker", "warning", f"{url}, connected, but readings come over the network in plain",
            "mqtts:// with WARD_MQTT_CA_FILE",
        )  # fmt: skip


def _journal(settings: Settings) -> Iterator[Finding]:
    """Looked at, not opened: the service may be writing to it."""
    if settings.journal_url is None:
        yield Finding("journal", "ok", "in the database")
        return
    try:
        from ward.ingest.jetstream import replicas_of
    except ImportError:
        yield Finding("journal", "wrong", "WARD_JOURNAL_URL is set", MISSING)
        return
    try:
        replicas = replicas_of(settings.journal_url, settings.journal_stream + settings.part.mark)
    except JournalAwayError as error:
        yield Finding(
            "journal", "wrong", str(error), "are the servers running, with jetstream? WARD_JOURNAL_URL"
        )
        return
    if replicas == 1:
        yield Finding("journal", "warning", "a stream on one server", "name three in WARD_JOURNAL_URL")
    else:
        made = f"a stream on {replicas} servers" if replicas else "the first start makes the stream"
        yield Finding("journal", "ok", made)


def _connect(url: BrokerUrl, settings: Settings) -> str | None:
    """Connect and subscribe as the service does; what is wrong, or None."""
    ca, cert, key = settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file
    said: list[str] = []
    over = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, f"{settings.mqtt_client_id}-check"[:64], True)
    client.username_pw_set(url.user, url.password)

    def end(refused: str | None) -> None:
        said.extend([refused] if refused else [])
        over.set()

    def connected(*args: Any) -> None:
        reason = args[3]
        if reason.is_failure:
            end(str(reason))
        else:
            client.subscribe([(topic, 1) for topic in SUBSCRIPTIONS])

    def subscribed(*args: Any) -> None:
        end("it does not let us read devices' topics" if any(r.is_failure for r in args[3]) else None)

    client.on_connect, client.on_subscribe = connected, subscribed
    client.on_disconnect = lambda *args: end("it ends the connection")
    client.connect_timeout = CONNECT_S
    try:
        if url.tls:
            client.tls_set_context(context_of(*(str(f) if f else None for f in (ca, cert, key))))
        client.connect(url.host, url.port)
    except OSError as error:
        return why(error, url.tls)
    client.loop_start()
    try:
        if not over.wait(CONNECT_S):
            return f"no answer within {CONNECT_S:.0f} s"
        return said[0] if said else None
    finally:
        client.on_disconnect = None
        client.disconnect()
        client.loop_stop()


def _pack(settings: Settings) -> Iterator[Finding]:
    pack = load_pack(settings.pack)
    yield Finding("rules", "ok", f"{pack.id}, {len(pack.rules)} rules")


def _risk(settings: Settings) -> Iterator[Finding]:
    model = find_risk(settings.risk_model)
    if model is not None:
        where = risk_file(settings.risk_model)
        yield Finding("risk model", "ok", f"{model.id}, {where}: as it was made")
    elif settings.risk_model == OWN:
        yield Finding(
            "risk model", "warning", "none came with this copy of ward: the risk is not known",
            "WARD_RISK_MODEL=FILE, or none if that is meant",
        )  # fmt: skip
    else:
        yield Finding("risk model", "ok", "none: the risk is not known")


def _plan(settings: Settings) -> Iterator[Finding]:
    if settings.plan_file is None:
        yield Finding("care plan", "ok", "of each ward's own, or the one built in")
    else:
        load_plan(settings.plan_file)
        yield Finding("care plan", "ok", f"{settings.plan_file} can be read")


def _channels(settings: Settings) -> Iterator[Finding]:
    found = load_channels(settings.channels_file, Parts())
    if len(found) > 1:
        yield Finding("channels", "ok", ", ".join(sorted(found)))
    else:
        yield Finding(
            "channels", "warning", "alerts reach nobody but who looks at a dashboard", "WARD_CHANNELS_FILE"
        )


def _backup(settings: Settings) -> Iterator[Finding]:
    wanted = (settings.backup_recipients or "").split()
    for each in wanted:
        recipient(each)
    if wanted:
        yield Finding("backup", "ok", f"encrypted for {len(wanted)}")
    else:
        yield Finding(
            "backup", "warning", "nobody is named for whom backups are encrypted",
            "`ward backup-key FILE`, then WARD_BACKUP_RECIPIENTS",
        )  # fmt: skip


CHECKS: Final[tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...]] = (
    ("settings", _file),
    ("data folder", _folder),
    ("database", _database),
    ("people", _people),
    ("disk", _disk),
    ("clock", _clock),
    ("broker", _broker),
    ("journal", _journal),
    ("rules", _pack),
    ("risk model", _risk),
    ("care plan", _plan),
    ("channels", _channels),
    ("backup", _backup),
)
