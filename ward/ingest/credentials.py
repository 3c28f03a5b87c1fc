"""Adding, rotating and removing the credentials of devices. The database is the truth; the files of the
broker and the keys in the gate are made from it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from ward.errors import InvalidError, UnavailableError, WardError
from ward.ingest import mosquitto
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.gate import ANY, Credential
from ward.ingest.signatures import derive_key
from ward.ingest.topics import PREFIX, VITALS, alerts_topic, is_name
from ward.store.audit import Entry, append
from ward.store.credentials import (
    DeviceCredential,
    add_credential,
    find_credential,
    list_credentials,
    remove_credential,
    rotate_credential,
)

SECRET: Final = "device-secret"  # noqa: S105 - a file name
"""In the data folder: the keys of signed messages are derived from it. Belongs into the backup."""
MAX_USER: Final = 200


@dataclass(frozen=True, slots=True)
class Made:
    """A new credential with its secrets, which are in no other place. ``unreloaded``: why the broker
    does not know it yet, None where it does."""

    credential: DeviceCredential
    password: str = field(repr=False)
    key: str = field(repr=False)
    unreloaded: str | None = None


def master_secret(data_dir: Path) -> bytes:
    """The secret in the data folder, made where there is none. Raises InvalidError where it is unreadable."""
    path = data_dir / SECRET
    try:
        if not path.exists():
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = data_dir / f".{SECRET}-{secrets.token_hex(4)}"
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(handle)
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)  # of two at once one wins, and both then read that one
            fresh.unlink()
        found = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise InvalidError(f"{path}: the secret of the devices' keys cannot be read") from error
    if len(found) != 32:
        raise InvalidError(f"{path}: the secret of the devices' keys is not 64 hex digits")
    return found


def fingerprint_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def gate_credentials(listed: Iterable[DeviceCredential], master: bytes) -> list[Credential]:
    """As the gate needs them. A key that the master secret does not give any more is None."""
    found = []
    for one in listed:
        key = derive_key(master, one.user, one.nonce)
        spoken = frozenset((ward, device) for ward, _, device in (s.partition("/") for s in one.speaks_for))
        is_right = fingerprint_of(key) == one.fingerprint
        found.append(Credential(one.user, spoken, one.signed, one.nonce, key.encode() if is_right else None))
    return found


class Credentials:
    """What ``ward device`` and the API do. ``folder``: where Mosquitto's files are written, None: nowhere."""

    def __init__(
        self,
        engine: Engine,
        data_dir: Path,
        broker: BrokerUrl,
        *,
        ca_file: Path | None = None,
        folder: Path | None = None,
        pid_file: Path | None = None,
        reload_command: str | None = None,
    ) -> None:
        self.engine, self.folder, self._broker, self._ca_file = engine, folder, broker, ca_file
        self._data_dir, self._pid_file, self._reload_command = data_dir, pid_file, reload_command

    def add(
        self,
        user: str,
        now: int,
        *,
        speaks_for: Sequence[str] = (),
        hears: Sequence[str] = (),
        signed: bool = False,
        audit: Entry | None = None,
    ) -> Made:
        """A new user of the broker; ``now`` in ms. Without ``speaks_for`` and ``hears`` it is one device,
        ``WARD/DEVICE``, that speaks for itself. ``audit`` is written with it.

        Raises InvalidError for a name that cannot be, ConflictError where it exists.
        """
        spoken = list(speaks_for) or ([] if hears else [user])
        self._check(user, spoken, hears)
        password, key, stored = self._secrets(user)
        credential = DeviceCredential(
            secrets.token_hex(8),
            user,
            spoken,
            list(hears),
            signed,
            stored["password"],
            stored["nonce"],
            stored["fingerprint"],
            now,
        )
        with self.engine.begin() as tx:
            add_credential(tx, credential)
            append(tx, _entries(audit, credential))
        return Made(credential, password, key, self.publish_files())

    def rotate(self, id: str, user: str, now: int, audit: Entry | None = None) -> Made:
        """A new password and a new key; the old ones are worth nothing from now on. Raises NotFoundError."""
        password, key, stored = self._secrets(user)
        with self.engine.begin() as tx:
            credential = rotate_credential(tx, id, at=now, **stored)
            append(tx, _entries(audit, credential))
        return Made(credential, password, key, self.publish_files())

    def remove(self, id: str, now: int, audit: Entry | None = None) -> str | None:
        """Its user can do nothing any more; why the broker does not know that yet. Raises NotFoundError."""
        with self.engine.begin() as tx:
            credential = remove_credential(tx, id, now)
            append(tx, _entries(audit, credential))
        return self.publish_files()

    def all(self) -> list[DeviceCredential]:
        with self.engine.connect() as connection:
            return list_credentials(connection)

    def find(self, user: str) -> DeviceCredential:
        """Raises NotFoundError."""
        with self.engine.connect() as connection:
            return find_credential(connection, user)

    def write_files(self) -> None:
        """Make Mosquitto's files anew and have them read. Raises InvalidError, UnavailableError."""
        if self.folder is None:
            raise UnavailableError("set WARD_MQTT_FILES_DIR to the folder of Mosquitto's files")
        mosquitto.write_files(self.folder, self._texts)
        mosquitto.reload(self._pid_file, self._reload_command)

    def example(self, made: Made) -> str:
        """A command that says something as the new user, or listens."""
        one, broker = made.credential, self._broker
        ca = ["--cafile", str(self._ca_file or "ca.pem")] if broker.tls else []
        login = ["-h", broker.host, "-p", str(broker.port), *ca, "-u", one.user, "-P", made.password]
        if not one.speaks_for:
            return shlex.join(["mosquitto_sub", *login, "-q", "1", "-t", alerts_topic(one.hears[0])])
        ward, _, device = one.speaks_for[0].replace(ANY, "my-device").rpartition("/")
        topic = f"{PREFIX}{ward}/{device}/{VITALS}"
        return shlex.join(["mosquitto_pub", *login, "-q", "1", "-t", topic, "-m", '{"readings": {"hr": 82}}'])

    def _secrets(self, user: str) -> tuple[str, str, dict[str, str]]:
        """Password, key, and what of them is stored."""
        password, nonce = secrets.token_urlsafe(24), secrets.token_hex(16)
        key = derive_key(master_secret(self._data_dir), user, nonce)
        stored = {"password": mosquitto.password_hash(password), "nonce": nonce}
        return password, key, {**stored, "fingerprint": fingerprint_of(key)}

    def _texts(self) -> tuple[str, str]:
        listed, service = self.all(), self._service()
        return mosquitto.passwords_text(listed, service), mosquitto.acl_text(listed, service)

    def _service(self) -> mosquitto.Service | None:
        user, password = self._broker.user, self._broker.password
        if user is None or password is None:
            return None
        return mosquitto.Service(user, mosquitto.password_hash(password))

    def publish_files(self) -> str | None:
        """Why the broker does not know of a change, None where it does; the change is made all the same."""
        try:
            self.write_files()
        except WardError as error:
            return error.detail
        return None

    def _check(self, user: str, spoken: Sequence[str], hears: Sequence[str]) -> None:
        levels = user.split("/")
        if len(levels) > 2 or not all(is_name(n) for n in levels) or ":" in user or len(user) > MAX_USER:
            raise InvalidError(
                f"a user is WARD/DEVICE or one NAME, at most {MAX_USER} printable characters, "
                "none of : + # and no $ first",
                field="user",
                code="credential-user",
                params={"most": MAX_USER},
            )
        if user == self._broker.user:
            raise InvalidError(
                f"{user} is the user by which ward itself logs in",
                field="user",
                code="credential-own",
                params={"user": user},
            )
        for pattern in spoken:
            ward, slash, device = pattern.partition("/")
            if not slash or not all(part == ANY or is_name(part) for part in (ward, device)):
                hint = "; a device is added as WARD/DEVICE" if pattern == user else ""
                raise InvalidError(
                    f"{pattern} is not WARD/DEVICE, WARD/+ or +/+{hint}",
                    field="speaks_for",
                    code="credential-pattern",
                    params={"pattern": pattern},
                )
            if ward == ANY and device != ANY:
                raise InvalidError(
                    f"{pattern}: a device belongs to one ward; allowed: WARD/+ or +/+",
                    field="speaks_for",
                    code="credential-pattern",
                    params={"pattern": pattern},
                )
        for ward in hears:
            if ward != ANY and not is_name(ward):
                raise InvalidError(
                    f"{ward} is not the name of a ward, or +",
                    field="hears",
                    code="credential-ward",
                    params={"ward": ward},
                )


def _entries(audit: Entry | None, credential: DeviceCredential) -> list[Entry]:
    if audit is None:
        return []
    ward = credential.speaks_for[0].partition("/")[0] if credential.speaks_for else credential.hears[0]
    told = {"speaks_for": credential.speaks_for, "hears": credential.hears, "signed": credential.signed}
    return [
        replace(
            audit,
            object=f"device:{credential.user}",
            ward=None if ward == ANY else ward,
            detail=told,
        )
    ]
