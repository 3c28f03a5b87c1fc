"""What the machine itself must do right: its clock, and room on its disk; and where it stands."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ward.zones import is_zone

STA_UNSYNC: Final = 0x0040
TIME_ERROR: Final = 5
SMALL_DISK: Final = 0.05
"""Of a disk on which the wanted room is more than this part, this part will do."""

Synchronised = Literal["yes", "no", "unknown"]


def give_back() -> None:
    """Memory that was freed goes back to the system, where the C library can do that (glibc)."""
    if _TRIM is not None:
        _TRIM(0)


def share_one_heap() -> None:
    """Threads take memory from one heap, where the C library can do that (glibc): what one of them freed
    another can use. Before there are threads."""
    if _MALLOPT is not None and _TRIM is not None:  # another library's ``mallopt`` has other numbers
        _MALLOPT(_M_ARENA_MAX, 1)


_C: Final = ctypes.CDLL(None) if os.name == "posix" else None
_TRIM: Final = getattr(_C, "malloc_trim", None)
_MALLOPT: Final = getattr(_C, "mallopt", None)
_M_ARENA_MAX: Final = -8
"""As in glibc's ``malloc.h``."""


class _Timex(ctypes.Structure):
    """The kernel's ``struct timex``, as far as it is of interest here, with room for its end."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


@dataclass(frozen=True, slots=True)
class MachineClock:
    """``synchronised``: whether something (chrony, ntpd, systemd-timesyncd, the host of a virtual machine)
    keeps the machine's clock right. ``error_s``: how far off the kernel holds it possible."""

    synchronised: Synchronised
    error_s: float | None = None


def machine_clock() -> MachineClock:
    """As the kernel says (``adjtimex``): in a container, of the host's. Elsewhere than on Linux: unknown."""
    if not sys.platform.startswith("linux"):
        return MachineClock("unknown")
    asked = _Timex(modes=0)  # reading needs no right
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        return MachineClock("unknown")
    if state < 0:
        return MachineClock("unknown" if ctypes.get_errno() in (errno.EPERM, errno.ENOSYS) else "no")
    ok = state != TIME_ERROR and not asked.status & STA_UNSYNC
    return MachineClock("yes" if ok else "no", asked.maxerror / 1e6)


def free_bytes(folder: Path) -> int:
    """Room on the folder's disk for who is not root."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def wanted_bytes(folder: Path, wanted_mb: float) -> float:
    """How much room there should be: ``wanted_mb``, or on a small disk a part of it."""
    return min(wanted_mb * 1e6, SMALL_DISK * shutil.disk_usage(folder).total)


def machine_zone() -> str:
    """The machine's own, by ``TZ`` or ``/etc/localtime``; UTC where it has no name."""
    given = os.environ.get("TZ", "").removeprefix(":")
    if given and is_zone(given):
        return given
    _, found, name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")
    return name if found and is_zone(name) else "UTC"
