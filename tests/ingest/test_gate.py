"""Who may say what behind a broker that lets anyone say anything."""

import json

import pytest

from ward.ingest.gate import LETTERS, PERIOD, Credential, Gate
from ward.ingest.intake import Incoming
from ward.ingest.records import Refusal
from ward.ingest.refusals import REASONS
from ward.ingest.signatures import derive_key, sign

MASTER = bytes(range(32))
NOW = 1_800_000_000_000
BODY = json.dumps({"readings": {"hr": 82}}).encode()


def key(user):
    return derive_key(MASTER, user, "00" * 16)


def credential(user, *speaks_for, must_sign=False, has_key=True):
    spoken = frozenset(tuple(s.split("/")) for s in speaks_for or [user])
    return Credential(user, spoken, must_sign, f"nonce of {user}", key(user).encode() if has_key else None)


def gate(mode, *credentials):
    made = Gate(mode)
    made.know(credentials)
    return made


def item(payload=BODY, device="6A/mon-1", kind="vitals", received=NOW):
    return Incoming(f"ward/v1/{device}/{kind}", payload, received, 1)


def signed(number, by="6A/mon-1", device="6A/mon-1", kind="vitals", body=BODY, signer=""):
    payload = sign(key(by), f"ward/v1/{device}/{kind}", number, body, signer)
    return item(payload, device, kind)


def judge(made, message):
    """The reason of a refusal, or the message to decode; each is a batch of its own, and durable."""
    made.begin()
    found = made.open(message)
    made.settle()
    if isinstance(found, Refusal):
        assert found.reason in REASONS
        assert found.device is None
        return found.reason
    return found


OWN, STRICT = credential("6A/mon-1"), credential("6A/mon-1", must_sign=True)
GATEWAY = credential("6A/gateway", "6A/+")


@pytest.mark.parametrize(
    ("mode", "known", "message", "expected"),
    [
        ("open", [], item(), BODY),
        ("open", [OWN], item(), BODY),
        ("open", [OWN], item(device="6A/mon-2"), BODY),
        ("open", [STRICT], item(), "unsigned"),
        ("open", [STRICT], item(kind="status"), "unsigned"),
        ("open", [STRICT], signed(1), BODY),
        ("open", [STRICT], item(device="6A/mon-2"), BODY),
        ("open", [], signed(1), "unknown-device"),
        ("open", [OWN], signed(1, by="6A/mon-2"), "bad-signature"),
        ("known", [OWN], item(), BODY),
        ("known", [OWN], item(device="6A/mon-2"), "unknown-device"),
        ("known", [OWN], item(device="6B/mon-1"), "unknown-device"),
        ("known", [GATEWAY], item(device="6A/mon-2"), BODY),
        ("known", [GATEWAY], item(device="6B/mon-2"), "unknown-device"),
        ("known", [OWN, GATEWAY], item(), BODY),
        ("known", [STRICT, GATEWAY], item(), "unsigned"),
        ("signed", [OWN], item(), "unsigned"),
        ("signed", [OWN], signed(1), BODY),
        ("signed", [OWN], signed(1, kind="status"), BODY),
        ("signed", [OWN], signed(1, by="6A/mon-2"), "bad-signature"),
        ("signed", [OWN, credential("6A/mon-2")], signed(1, "6A/mon-2", signer="6A/mon-2"), "bad-signature"),
        ("signed", [OWN], signed(1, "6A/nobody", signer="6A/nobody"), "unknown-device"),
        ("signed", [OWN], item(b"ward1 nonsense\n{}"), "bad-signature"),
        ("signed", [GATEWAY], signed(1, "6A/gateway", signer="6A/gateway"), BODY),
        ("signed", [GATEWAY], item(), "unsigned"),
        ("signed", [GATEWAY], signed(1, "6A/gateway", "6B/mon-1", signer="6A/gateway"), "bad-signature"),
        ("signed", [credential("all", "+/+")], signed(1, "all", "6B/x", signer="all"), BODY),
        ("signed", [credential("6A/mon-1", has_key=False)], signed(1), "bad-signature"),
        ("signed", [], item(), "unknown-device"),
    ],
)
def test_who_may_say_what(mode, known, message, expected):
    assert judge(gate(mode, *known), message) == expected


def test_what_is_no_topic_of_ours_is_for_the_decoder_to_refuse():
    strange = Incoming("ward/v1/x/vitals", BODY, NOW)
    assert judge(gate("signed", OWN), strange) == BODY


def test_a_message_is_believed_once():
    made = gate("signed", OWN)
    assert judge(made, signed(5)) == BODY
    assert judge(made, signed(5)) == "repeated-number"
    assert judge(made, signed(4)) == BODY  # what came out of order, and the will that was signed before
    assert judge(made, signed(4)) == "repeated-number"
    assert judge(made, signed(5, kind="status")) == BODY  # each topic counts for itself


def test_what_did_not_become_durable_was_not_heard():
    made = gate("signed", OWN)
    made.begin()
    assert made.open(signed(5)) == BODY
    assert isinstance(made.open(signed(5)), Refusal)  # twice in one batch
    made.begin()  # the database was away: the same batch again
    assert made.open(signed(5)) == BODY
    made.settle()
    assert judge(made, signed(5)) == "repeated-number"


def test_numbers_outlive_a_restart_and_belong_to_their_key():
    made = gate("signed", OWN)
    assert judge(made, signed(5)) == BODY
    written = made.changed()
    assert made.changed() == {}
    again = gate("signed", OWN)
    again.restore({(nonce, kind): heard for nonce, kinds in written.items() for kind, heard in kinds.items()})
    assert judge(again, signed(5)) == "repeated-number"
    again.unsaved(written)
    assert again.changed() == written


def test_a_forged_message_is_counted_and_told_for_a_while():
    made = gate("signed", OWN)
    assert not made.is_alarmed(NOW)
    for _ in range(3):
        assert judge(made, item()) == "unsigned"
    assert made.forged["6A/mon-1"].count == 3
    assert made.is_alarmed(NOW + 60_000)
    assert not made.is_alarmed(NOW + 600_000)


def test_an_unknown_device_is_no_forgery():
    made = gate("known", OWN)
    assert judge(made, item(device="6A/new")) == "unknown-device"
    assert not made.is_alarmed(NOW)
    assert made.forged == {}


def test_of_a_flood_a_few_letters_are_kept_and_all_are_counted():
    made = gate("known", OWN)
    made.begin()
    found = [made.open(item(b"x" * 100_000, device=f"6A/forged-{n}")) for n in range(10 * LETTERS)]
    assert sum(refusal.kept for refusal in found) == LETTERS
    assert max(len(refusal.payload) for refusal in found) <= 512
    later = made.open(item(device="6A/forged-1", received=NOW + PERIOD))
    assert later.kept
    again = made.open(item(device="6A/forged-1", received=NOW + PERIOD))
    assert not again.kept


def test_no_key_is_in_a_text_form():
    assert key("6A/mon-1") not in repr(OWN)
