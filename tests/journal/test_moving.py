"""A service on JetStream, and a database that goes from one journal to another."""

import pytest

from tests.live.test_recovery import play
from tests.live.world import World
from ward.config import SettingsError, load_settings, mask
from ward.errors import ConflictError
from ward.ingest.journal import JournalAwayError
from ward.journals import note_whole, open_journal

STORY_S = 150


@pytest.fixture
def jetstream(nats, request):
    return {"journal_url": ",".join(nats.urls), "journal_stream": f"test-{abs(hash(request.node.nodeid))}"}


def test_a_crash_at_any_point_gives_the_same_alerts_and_the_same_history(tmp_path, jetstream):
    undisturbed = play(tmp_path / "a", 3, crashes=False, seconds=STORY_S)
    crashed = play(tmp_path / "b", 3, crashes=True, seconds=STORY_S, **jetstream)
    assert undisturbed[0]
    assert crashed == undisturbed


def test_a_message_is_acknowledged_when_the_journal_has_it_and_not_before(tmp_path, jetstream, monkeypatch):
    world = World(tmp_path, **jetstream)
    world.admit()
    item = world.measure(hr=80)

    async def away(payload):
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(world.service._journal, "_publish", away)
        with pytest.raises(JournalAwayError):
            world.runner.take_messages()
        assert world.acked == []
    world.runner.take_messages()
    assert world.acked == [item.mid]
    world.close()


def end(world):
    """As a service ends in order."""
    world.runner._save_last()
    world.service._note_journal()
    world.close()


def admit_and_measure(world, seconds=3):
    stay = world.admit()
    world.live(seconds, hr=80)
    return stay


def test_a_database_goes_to_jetstream_and_back(tmp_path, jetstream):
    before = World(tmp_path)
    stay = admit_and_measure(before)
    end(before)
    there = World(tmp_path, **jetstream)
    there.clock.time = before.now
    there.seq = before.seq
    there.live(4, hr=81)
    there.crash()
    there.live(4, hr=82)
    end(there)
    back = World(tmp_path)
    back.clock.time = there.now
    back.seq = there.seq
    back.live(2, hr=83)
    back.tick(3_000)
    assert [round(r) for r in back.stored(stay).value.tolist()] == [80] * 3 + [81] * 4 + [82] * 4 + [83] * 2
    back.close()


def test_a_journal_that_no_snapshot_holds_is_not_left_behind(tmp_path, jetstream):
    world = World(tmp_path)
    admit_and_measure(world)
    world.close()
    with pytest.raises(ConflictError, match="database"):
        World(tmp_path, **jetstream)
    World(tmp_path).close()


def test_nor_is_one_in_jetstream(tmp_path, jetstream):
    world = World(tmp_path, **jetstream)
    admit_and_measure(world)
    world.close()
    with pytest.raises(ConflictError, match=jetstream["journal_stream"]):
        World(tmp_path)
    with pytest.raises(ConflictError, match=jetstream["journal_stream"]):
        World(tmp_path, **jetstream | {"journal_stream": "another"})


def test_a_service_that_did_not_end_in_order_is_not_noted_as_whole(tmp_path, jetstream):
    world = World(tmp_path, **jetstream)
    end(world)
    again = World(tmp_path, **jetstream)  # it opens the journal, which may grow from now on
    note_whole(again.service.engine_db, again.service.settings, 0, again.service._journal.last())
    again.close()
    with pytest.raises(ConflictError):
        World(tmp_path)


@pytest.mark.parametrize("url", ["http://host", "nats://", "nats://a:4222,mqtt://b", ""])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(SettingsError, match="nats://"):
        load_settings(environ={}, journal_url=url)


def test_passwords_in_several_addresses_are_not_shown():
    assert mask("journal_url", "nats://u:p@a:1,nats://u:p@b:2") == "nats://u:***@a:1,nats://u:***@b:2"


def test_without_nats_py_the_start_says_what_to_install(sqlite_engine, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ward.ingest.jetstream", None)
    settings, _ = load_settings(environ={}, journal_url="nats://127.0.0.1:1")
    with pytest.raises(SettingsError, match=r"ward\[cluster\]"):
        open_journal(sqlite_engine, settings)
