"""Mosquitto's password and ACL files, made from the credentials in the database, and its reload."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
import pwd
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ward.errors import InvalidError, UnavailableError
from ward.ingest.topics import PREFIX, STATUS, VITALS, alerts_topic, notices_topic
from ward.store.credentials import DeviceCredential

PASSWORDS: Final = "passwords"
ACL: Final = "acl"
ITERATIONS: Final = 101
"""Mosquitto's own. Its passwords are 192 random bits here: no number of rounds makes them safer."""
_SALT: Final = 12
RELOAD_S: Final = 20.0
OWNER: Final = "mosquitto"


def password_hash(password: str, salt: bytes | None = None) -> str:
    """As in a password file of Mosquitto 2: ``$7$rounds$salt$hash``, PBKDF2 with SHA-512."""
    salt = os.urandom(_SALT) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${_text(salt)}${_text(digest)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True, slots=True)
class Service:
    """By what name ward itself logs in (that of ``WARD_MQTT_URL``); ``password`` is hashed."""

    user: str
    password: str


def passwords_text(credentials: Iterable[DeviceCredential], service: Service | None) -> str:
    users = [(c.user, c.password) for c in credentials]
    if service is not None:
        users.insert(0, (service.user, service.password))
    return "".join(f"{user}:{password}\n" for user, password in users)


def acl_text(credentials: Iterable[DeviceCredential], service: Service | None) -> str:
    """What each user may do. Who is not named here, anonymous ones included, may do nothing."""
    blocks = ["# Written by ward from its database (ward device files): changes made here are lost."]
    if service is not None:
        blocks.append(
            _block(
                service.user,
                f"read {PREFIX}+/+/{VITALS}",
                f"read {PREFIX}+/+/{STATUS}",
                f"readwrite {alerts_topic('+')}",
                f"write {notices_topic('+', '+')}",
                "read $SYS/broker/uptime",
            )
        )
    for one in credentials:
        spoken = [f"write {PREFIX}{name}/{kind}" for name in one.speaks_for for kind in (VITALS, STATUS)]
        heard = [f"read {topic}" for w in one.hears for topic in (alerts_topic(w), notices_topic(w, "+"))]
        blocks.append(_block(one.user, *spoken, *heard))
    return "\n\n".join(blocks) + "\n"


def _block(user: str, *topics: str) -> str:
    return "\n".join([f"user {user}", *(f"topic {topic}" for topic in topics)])


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time, so that an older list never replaces a newer one."""
    with (folder / ".ward-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_files(folder: Path, read: Callable[[], tuple[str, str]]) -> None:
    """Write both files anew, each whole or not at all. ``read`` gives (passwords, ACL), asked while no
    other writer is at it. Raises InvalidError where the folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            passwords, acl = read()
            _replace(folder / PASSWORDS, passwords)
            _replace(folder / ACL, acl)
    except OSError as error:
        raise InvalidError(f"{folder}: Mosquitto's files cannot be written ({error.strerror})") from error


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            _give(file.fileno(), path)
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


def _give(handle: int, path: Path) -> None:
    """Owner and mode of the file that is replaced; else Mosquitto's, and nobody else's to read."""
    with contextlib.suppress(FileNotFoundError):
        before = path.stat()
        os.fchmod(handle, before.st_mode & 0o7777)
        with contextlib.suppress(PermissionError):
            os.fchown(handle, before.st_uid, before.st_gid)
        return
    folder = path.parent.stat()
    user, group = folder.st_uid, folder.st_gid
    with contextlib.suppress(KeyError):
        user, group = pwd.getpwnam(OWNER)[2:4]
    # Root gives the file to Mosquitto; another can only let the folder's group read it.
    if os.geteuid() == 0:
        os.fchown(handle, user, group)
        os.fchmod(handle, 0o600)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(handle, -1, folder.st_gid)
    os.fchmod(handle, 0o640)


def reload(pid_file: Path | None, command: str | None) -> None:
    """Make Mosquitto read its files again: SIGHUP to the process in ``pid_file``, or a command.

    Raises UnavailableError, which says what did not work.
    """
    if command:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own setting, no shell
                shlex.split(command), capture_output=True, text=True, timeout=RELOAD_S, check=False
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise UnavailableError(f"the reload command did not work: {type(error).__name__}") from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise UnavailableError(
                f"the reload command ended with {done.returncode}{': ' + said[-1] if said else ''}"
            )
    elif pid_file is not None:
        try:
            os.kill(int(pid_file.read_text()), signal.SIGHUP)
        except (OSError, ValueError) as error:
            said_os = error.strerror if isinstance(error, OSError) else "there is no process number in it"
            raise UnavailableError(f"{pid_file}: Mosquitto was not told to reload ({said_os})") from error
    else:
        raise UnavailableError("nobody said how Mosquitto is told to reload")
