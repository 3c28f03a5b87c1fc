"""A service on JetStream, and a database that goes from one journal to another."""

import pytest

from tests.live.test_recovery import play
from tests.live.world import World
from ward.config import Settings, SettingsError, load_settings, mask
from ward.doctor import _journal
from ward.errors import ConflictError
from ward.ingest.journal import JournalAwayError
from ward.ingest.records import RulesChanged
from ward.journals import note_whole, open_journal
from ward.protection.restore import _leave_journal

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


def test_an_erased_patient_is_not_in_the_stream(tmp_path, jetstream):
    world = World(tmp_path, **jetstream)
    stay = admit_and_measure(world)
    world.do("discharge", stay=stay)
    world.tick(3_000)
    world.do("erase", stay=stay)
    left = [entry for _, batch in world.service._journal.read(0) for entry in batch]
    assert [type(entry) for entry in left] == [RulesChanged]
    world.crash()
    world.close()


def test_after_a_restore_another_stream_may_take_the_place_of_one_that_is_gone(tmp_path, jetstream):
    world = World(tmp_path, **jetstream)
    admit_and_measure(world)
    with world.service.engine_db.begin() as tx:
        _leave_journal(tx)
    world.close()
    other = jetstream | {"journal_stream": f"{jetstream['journal_stream']}-2"}
    World(tmp_path, **other).close()


def test_ward_check_looks_at_the_journal_and_leaves_it_to_its_owner(tmp_path, jetstream):
    def said(**settings):
        (found,) = _journal(Settings(data_dir=tmp_path, **settings))
        return found.level, found.text

    assert said() == ("ok", "in the database")
    assert said(**jetstream) == ("ok", "the first start makes the stream")
    world = World(tmp_path, **jetstream)
    assert said(**jetstream) == ("warning", "a stream on one server")
    world.admit()  # writes, for nobody has taken it over
    world.close()
    assert said(**jetstream | {"journal_url": "nats://127.0.0.1:1"})[0] == "wrong"


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
