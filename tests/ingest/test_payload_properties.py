"""The fast way of reading a message and the careful one agree; nothing makes either raise."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ward.ingest import careful, payload
from ward.ingest.packed import decode, encode
from ward.ingest.refusals import REASONS, Refusals
from ward.ingest.sheet import Sheet
from ward.ingest.topics import parse_topic

NOW = 1_795_258_800_000
TOPIC = "ward/v1/north/mon-01/vitals"
ADDRESS = parse_topic(TOPIC)

names = st.sampled_from(["hr", "pr", "spo2", "rr", "temp", "etco2", "", "news2"])
numbers = (
    st.none() | st.integers() | st.floats(allow_nan=True) | st.booleans() | st.sampled_from(["1", [], {}])
)
times = st.sampled_from(
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.1239999+01:00",
        "2026-11-21 12:00:00-05:30",
        "2016-12-31T23:59:60Z",
        "2026-11-21T12:00:00",
        "1969-01-01T00:00:00Z",
        "?",
        5,
        None,
    ]
)
words = st.sampled_from(["ok", "motion", "sparkling", "é", 'a"b', "x" * 65, 3, None])
samples = st.fixed_dictionaries(
    {"readings": st.dictionaries(names, numbers, max_size=4)},
    optional={
        "time": times,
        "seq": st.integers(-2, 2**64) | st.sampled_from([1.0, 1.5, "1", None, True]),
        "session": words,
        "quality": st.dictionaries(names, numbers, max_size=3),
        "status": st.dictionaries(names, words, max_size=3),
        "other": st.none() | st.text(max_size=3),
    },
)
tidy = st.fixed_dictionaries(
    {"readings": st.dictionaries(st.sampled_from(["hr", "rr"]), st.none() | st.floats(-10, 400), min_size=1)},
    optional={"time": times.filter(lambda t: isinstance(t, str) and t != "?"), "seq": st.integers(0, 9)},
)
documents = samples | tidy | st.fixed_dictionaries({"samples": st.lists(tidy | samples, max_size=4)})


@st.composite
def written(draw):
    """A document as JSON, its escapes and spaces as devices write them."""
    style = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t")]))
    return json.dumps(draw(documents), ensure_ascii=draw(st.booleans()), separators=style).encode()


@given(written())
def test_fast_and_careful_agree(message):
    sheet = Sheet()
    is_fast = payload.collect_vitals(TOPIC, message, NOW, sheet)
    refusals = Refusals(TOPIC, message, NOW, None, None)
    document = careful.parse(message, refusals)
    slow = careful.samples_of(document, ADDRESS, NOW, refusals)
    assert sheet.samples() == (slow if is_fast else [])
    if is_fast:
        assert refusals.all() == []
    assert payload.decode_vitals(TOPIC, message, NOW)[0] == slow


@given(tidy, st.booleans())
def test_tidy_messages_take_the_fast_way(sample, is_batch):
    document = {"samples": [sample, sample]} if is_batch else sample
    expected = None if any(t in str(sample.get("time", "")) for t in (":60", "1969")) else list
    expected = None if sample.get("time") == "2026-11-21T12:00:00" else expected
    fast = payload.collect_vitals(TOPIC, json.dumps(document).encode(), NOW, Sheet())
    assert fast == (expected is list)


@given(st.lists(written() | tidy.map(lambda sample: json.dumps(sample).encode()), max_size=60), st.booleans())
def test_many_messages_become_columns_of_the_same_samples(messages, is_one_device):
    sheet, alone = Sheet(), []
    for n, message in enumerate(messages * 3):
        topic = TOPIC if is_one_device else f"ward/v1/w/mon-{n % 5}/vitals"
        if payload.collect_vitals(topic, message, NOW + n, sheet):
            alone += payload.judge_vitals(topic, message, NOW + n)[0]
    assert sheet.samples() == alone
    assert decode(encode(sheet.parts())) == alone


@given(st.binary(max_size=200) | written().map(lambda m: m[: len(m) // 2]) | st.text().map(str.encode))
def test_nothing_raises_and_nothing_vanishes(message):
    found, refusals = payload.decode_vitals(TOPIC, message, NOW)
    assert found or refusals
    assert all(r.reason in REASONS and r.count > 0 for r in refusals)
    said, letters = payload.decode_status(TOPIC.replace("vitals", "status"), message, NOW, False)
    assert said or letters


@given(written())
def test_what_was_read_survives_the_journal(message):
    found, _ = payload.decode_vitals(TOPIC, message, NOW)
    assert decode(encode(found)) == found


@given(st.text(max_size=60), st.binary(max_size=20))
def test_no_topic_raises(topic, message):
    payload.decode_vitals(topic, message, NOW)
    payload.decode_status(topic, message, NOW, True)
