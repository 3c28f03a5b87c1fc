"""What the service asks of the C library."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ALLOCATES = """
import ctypes, os, tempfile, threading
from ward.machine import share_one_heap
{first}
take = ctypes.CDLL(None).malloc
threads = [threading.Thread(target=take, args=[100_000]) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
with tempfile.TemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fdopen(os.dup(file.fileno()), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    file.seek(0)
    print(file.read().count(b"<heap nr"))
"""


def heaps(first: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", ALLOCATES.format(first=first)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps of threads")
def test_threads_share_one_heap():
    assert heaps("") > 1
    assert heaps("share_one_heap()") == 1
