"""Who can open a backup: keys of age (https://age-encryption.org), so that the tool ``age`` opens it as well.

A backup is encrypted to *recipients*, which are public: the machine that writes backups cannot read them.
The *identity* that reads them is a file; it may itself be encrypted with a passphrase, as
``age --passphrase`` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol

import pyrage  # type: ignore[import-untyped]

from ward.errors import InvalidError
from ward.protection.archive import ArchiveError

SECRET: Final = "AGE-SECRET-KEY-1"  # noqa: S105 - how every one begins
AGE: Final = (b"age-encryption.org/", b"-----BEGIN AGE")
GZIP_MAGIC: Final = b"\x1f\x8b"
PIECE: Final = 1 << 16


class UnfitKeyError(InvalidError):
    """A key that is none, cannot be read, or does not fit."""


class Reads(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Writes(Protocol):
    def write(self, data: bytes, /) -> int: ...


class Pieces:
    """What an iterator yields, as a file that is read: never more of it in memory than one piece."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                return b""
            except BaseException as error:
                self.error = error  # what reads us would only pass on its name
                raise
        end = len(self._rest) if size < 0 else size
        given, self._rest = bytes(self._rest[:end]), self._rest[end:]
        return given


def recipient(text: str) -> Any:
    """The recipient that a text names: ``age1…``, or a public key of SSH. Raises InvalidError."""
    named = text.strip()
    try:
        if named.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(named)
        return pyrage.x25519.Recipient.from_str(named)
    except pyrage.RecipientError:
        shown = "a secret key" if named.upper().startswith(SECRET) else repr(named[:80])
        raise UnfitKeyError(
            f"{shown} is not a recipient; allowed: age1… (see `ward backup-key`), ssh-ed25519 …, ssh-rsa …"
        ) from None


def identities(file: Path, passphrase: Callable[[], str] | None = None) -> list[Any]:
    """The secret keys in a file; ``passphrase`` is asked if it is encrypted. Raises InvalidError."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnfitKeyError(f"{file}: cannot be read ({error.strerror})") from None
    if content.startswith(AGE):
        if passphrase is None:
            raise UnfitKeyError(f"{file} is protected with a passphrase: say --passphrase-file")
        try:
            content = pyrage.passphrase.decrypt(content, passphrase())
        except pyrage.DecryptError:
            raise UnfitKeyError(f"{file}: the passphrase does not open it") from None
    if b"PRIVATE KEY-----" in content:
        try:
            return [pyrage.ssh.Identity.from_buffer(content)]
        except pyrage.IdentityError:
            raise UnfitKeyError(f"{file}: this key of SSH cannot be used") from None
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines()]
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith(SECRET)]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise UnfitKeyError(f"{file}: there is no secret key in it (a line that begins with {SECRET})")
    return found


def make_identity(file: Path, passphrase: str | None = None) -> str:
    """Write a new secret key, readable by its owner only; the public one. Raises InvalidError."""
    made = pyrage.x25519.Identity.generate()
    public = str(made.to_public())
    content = f"# public key: {public}\n{made}\n".encode()
    if passphrase is not None:
        content = pyrage.passphrase.encrypt(content, passphrase)
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise UnfitKeyError(f"{file} is there already: a key is never written over") from None
    except OSError as error:
        raise UnfitKeyError(f"{file}: cannot be written ({error.strerror})") from None
    with os.fdopen(handle, "wb") as output:
        output.write(content)
        os.fsync(output.fileno())
    return public


def seal(pieces: Iterable[bytes], output: IO[bytes], recipients: Sequence[Any]) -> None:
    """Write the pieces, encrypted to all of the recipients; with none of them, as they are."""
    if not recipients:
        for piece in pieces:
            output.write(piece)
        return
    reader = Pieces(pieces)
    try:
        pyrage.encrypt_io(reader, output, list(recipients))
    except pyrage.EncryptError:
        if reader.error is not None:
            raise reader.error from None
        raise


def unseal(source: IO[bytes], output: Writes, keys: Sequence[Any]) -> None:
    """The plain bytes of a backup into ``output``. Raises ArchiveError, and what ``output`` raises."""
    start = source.read(len(AGE[0]))
    source.seek(0)
    if start.startswith(GZIP_MAGIC):
        while piece := source.read(PIECE):
            output.write(piece)
        return
    if not start.startswith(tuple(magic[: len(start)] for magic in AGE)) or not start:
        raise ArchiveError("this is not a backup of ward")
    if not keys:
        raise UnfitKeyError("the backup is encrypted: say --identity FILE, the key that opens it")
    try:
        pyrage.decrypt_io(source, output, list(keys))
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise UnfitKeyError("the backup was made for another key: this one does not open it") from None
        raise ArchiveError("the backup is damaged or cut off: it cannot be decrypted") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise ArchiveError("the backup is damaged or cut off: it cannot be decrypted") from None
