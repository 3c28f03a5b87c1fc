"""Signed messages: what a device writes, what is believed, what is remembered."""

import hashlib
import hmac
import itertools
import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.ingest.signatures import (
    MAX_NUMBER,
    WINDOW,
    Numbers,
    derive_key,
    is_genuine,
    is_signed,
    sign,
    take_apart,
)

TOPIC = "ward/v1/6A/mon-12/vitals"
MASTER = bytes(range(32))
NONCE = "00112233445566778899aabbccddeeff"
KEY = derive_key(MASTER, "6A/mon-12", NONCE)


def test_the_vector_of_the_documentation():
    key = "0123456789abcdef" * 4
    message = b'{"readings": {"hr": 82}}'
    mac = hmac.new(key.encode(), b"ward/v1/6A/mon-12/vitals\n7\n" + message, hashlib.sha256).hexdigest()
    assert sign(key, TOPIC, 7, message) == b"ward1 " + mac.encode() + b" 7\n" + message
    assert mac in (Path(__file__).parents[2] / "docs" / "devices.md").read_text()


def test_the_shell_of_the_documentation(tmp_path):
    """What an integrator copies signs as ward reads it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    paper = (Path(__file__).parents[2] / "docs" / "devices.md").read_text()
    lines = re.search(r"In a shell:\n\n((?:    .*\n)+)", paper)[1].split("| mosquitto_pub")[0]
    done = subprocess.run(
        ["bash", "-c", lines], env={**os.environ, "KEY": KEY}, capture_output=True, check=True
    )
    assert is_genuine(KEY.encode(), TOPIC, take_apart(done.stdout))


def test_the_python_of_the_documentation():
    paper = (Path(__file__).parents[2] / "docs" / "devices.md").read_text()
    found: dict = {}
    exec(textwrap.dedent(re.search(r"In Python:\n\n((?:    .*\n|\n)+)", paper)[1]), found)
    payload = found["signed"](KEY, TOPIC, b"{}")
    assert is_genuine(KEY.encode(), TOPIC, take_apart(payload))


names = st.text(st.characters(codec="utf-8", exclude_characters="/+#\n"), min_size=1, max_size=20)


@given(st.binary(max_size=300), st.integers(0, MAX_NUMBER), names)
def test_what_is_signed_is_believed_for_its_topic_only(message, number, signer):
    payload = sign(KEY, TOPIC, number, message, signer)
    assert is_signed(payload)
    signed = take_apart(payload)
    assert (signed.message, signed.number, signed.signer) == (message, number, signer)
    assert is_genuine(KEY.encode(), TOPIC, signed)
    assert not is_genuine(KEY.encode(), TOPIC.replace("12", "13"), signed)
    assert not is_genuine(KEY.encode(), TOPIC.replace("vitals", "status"), signed)
    assert not is_genuine(derive_key(MASTER, "6A/mon-13", NONCE).encode(), TOPIC, signed)


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_is_not_believed(message, at, change):
    payload = bytearray(sign(KEY, TOPIC, 12, message))
    payload[at % len(payload)] ^= change
    signed = take_apart(bytes(payload)) if is_signed(bytes(payload)) else None
    same = signed is not None and (signed.message, signed.number, signed.said) == (
        message,
        12,
        b"12\n" + message,
    )
    # Hex digits may be large or small; all else must be as it was.
    assert signed is None or not is_genuine(KEY.encode(), TOPIC, signed) or same


@pytest.mark.parametrize(
    "payload",
    [
        b"ward1 ",
        b"ward1 \n{}",
        b"ward1 abc 1\n{}",
        b"ward1 " + b"0" * 64 + b"\n{}",
        b"ward1 " + b"0" * 64 + b" \n{}",
        b"ward1 " + b"0" * 64 + b" -1\n{}",
        b"ward1 " + b"0" * 64 + b" 1.0\n{}",
        b"ward1 " + b"0" * 64 + b" 9223372036854775808\n{}",
        b"ward1 " + b"0" * 64 + b" " + b"9" * 20 + b"\n{}",
        b"ward1 " + b"zz" * 32 + b" 1\n{}",
        b"ward1 " + b"0 " * 32 + b" 1\n{}",
        b"ward1 " + b"0" * 64 + b" 1 \xff\n{}",
        b"ward1 " + b"0" * 64 + b" 1 " + b"x" * 1000 + b"\n{}",
        b"ward1 " + b"0" * 64 + b" 1",
        b"ward1 " + "٣".encode() * 64 + b" 1\n{}",
    ],
)
def test_what_is_no_signature_is_taken_for_none(payload):
    assert take_apart(payload) is None


def test_keys_differ_by_device_nonce_and_master():
    keys = {
        derive_key(master, user, nonce)
        for master in (MASTER, bytes(32))
        for user in ("6A/mon-12", "6A/mon-13")
        for nonce in (NONCE, "00" * 16)
    }
    assert len(keys) == 8
    assert all(len(key) == 64 for key in keys)


@given(st.lists(st.integers(0, 40) | st.integers(0, MAX_NUMBER), max_size=60))
def test_a_number_is_new_once(numbers):
    heard, model = Numbers(), set()
    for number in numbers:
        assert heard.is_new(number) == (number not in model)
        if heard.is_new(number):
            heard.add(number)
            model.add(number)
    spans = list(zip(heard.firsts, heard.lasts, strict=True))
    assert sum(last - first + 1 for first, last in spans) == len(model)
    assert all(a[1] + 1 < b[0] for a, b in itertools.pairwise(spans))


def test_numbers_far_apart_are_forgotten_from_below_and_then_never_new():
    heard = Numbers()
    for number in range(0, 10 * WINDOW, 10):
        heard.add(number)
    assert heard.is_new(5)
    heard.add(10 * WINDOW)
    assert heard.floor == 0
    heard.add(10 * WINDOW + 10)
    assert not heard.is_new(0)
    assert not heard.is_new(5)
    assert heard.is_new(15)
    assert len(heard.firsts) == WINDOW
