"""The sender by hand: what is due is sent once, a failure tried again, what is given up calls the next."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from tests.notify.office import START, Dead, Office, Script, delivery, put
from ward.notify.channels import Configured, Failed, Refused, Unconfirmed
from ward.store.care import drop_waiting
from ward.store.deliveries import (
    LEASE_MS,
    SKEW_MS,
    claim,
    confirm_shown,
    deliveries_of,
    mark_failed,
    mark_sent,
    put_back,
    to_be_shown,
)


def test_what_is_due_is_sent_once(engine: Engine):
    pager = Script()
    office = Office(engine, {"pager": pager})
    put(engine, delivery(), delivery("later", person="ben", due=START + 5_000))
    office.run(2_000)
    put(engine, delivery())  # told twice is one row
    office.run(2_000)
    assert [m.person for m in pager.heard] == ["ada"]
    office.run(2_000)
    assert [m.person for m in pager.heard] == ["ada", "ben"]
    assert office.states() == ["sent", "sent"]
    assert office.row(1).sent == START
    assert office.row(1).attempts == 1


def test_a_failure_is_tried_again_with_growing_pauses_under_the_same_id(engine: Engine):
    pager = Script(*[Failed("no")] * 2)
    office = Office(engine, {"pager": pager})
    put(engine, delivery())
    ids = set()
    tries = []
    for _ in range(40):
        before = pager.tried
        office.run(250)
        if pager.tried > before:
            tries.append(office.clock.time)
        ids |= {m.id for m in pager.heard}
    assert len(ids) == 1
    assert len(tries) == 3
    assert tries[2] - tries[1] > tries[1] - tries[0]
    row = office.row(1)
    assert (row.state, row.attempts, row.error) == ("sent", 3, None)
    assert not office.undelivered


def test_what_is_never_taken_is_given_up_and_calls_the_next_once(engine: Engine):
    office = Office(engine, {"pager": Dead()})
    put(engine, delivery())
    office.run(29_000)
    assert office.states() == ["waiting"]
    assert not office.undelivered
    office.run(2_000)
    assert office.states() == ["failed"]
    [(sending, why)] = office.undelivered
    assert (sending.alert, sending.person, sending.channel, why) == ("a1", "ada", "pager", "nobody there")
    assert office.row(1).error == "nobody there"
    office.run(60_000)
    assert len(office.undelivered) == 1


def test_a_channel_long_broken_is_not_waited_for(engine: Engine):
    dead = Dead()
    office = Office(engine, {"pager": dead})
    put(engine, delivery())
    office.run(40_000)
    assert office.sender.conditions()["pager"].broken_since == START
    assert REGISTRY.get_sample_value("ward_notify_channel_broken", {"channel": "pager"}) == 1
    put(engine, delivery("next", alert="a2", created=office.clock.time, due=office.clock.time))
    office.run(1_000)
    assert [sending.alert for sending, _ in office.undelivered] == ["a1", "a2"]


def test_a_broken_channel_is_probed_and_found_again(engine: Engine):
    pager = Script(*[Failed("no")] * 3)
    office = Office(engine, {"pager": pager}, parallel=1)
    put(engine, *[delivery(f"k{n}", alert=f"a{n}") for n in range(20)])
    office.sender.send_due()
    for _ in range(30):
        office.sender.send_due()
    assert pager.tried == 3  # the others are not tried while nothing gets through
    office.run(20_000)
    assert len(pager.heard) == 20
    assert office.sender.conditions()["pager"].broken_since is None
    assert not office.undelivered


def test_what_is_refused_is_not_tried_again_and_says_nothing_against_the_channel(engine: Engine):
    pager = Script(*[Refused("no such number")] * 5)
    office = Office(engine, {"pager": pager})
    put(engine, *[delivery(f"k{n}", alert=f"a{n}") for n in range(6)])
    office.run(1_000)
    assert office.states() == ["failed"] * 5 + ["sent"]
    assert len(office.undelivered) == 5
    condition = office.sender.conditions()["pager"]
    assert (condition.broken_since, condition.last_error) == (None, "no such number")


def test_a_channel_that_nobody_configured_fails_at_once(engine: Engine):
    office = Office(engine, {})
    put(engine, delivery(channel="fax"))
    office.run(500)
    [(sending, why)] = office.undelivered
    assert (sending.channel, why) == ("fax", "no channel of this name is configured")


def test_a_fault_of_a_library_is_a_failure_and_tells_no_secret(engine: Engine):
    office = Office(engine, {"pager": Script(ValueError("https://user:secret@host"))})
    put(engine, delivery())
    office.sender.send_due()
    assert office.row(1).error == "a fault of the channel (ValueError)"
    office.run(3_000)
    assert office.states() == ["sent"]


def test_a_resolved_note_or_a_test_that_fails_calls_nobody(engine: Engine):
    office = Office(engine, {"pager": Script(Refused("no"), Refused("no"))})
    put(engine, delivery("r", reason="resolved"), delivery("t", reason="test", alert=None))
    office.run(1_000)
    assert office.states() == ["failed", "failed"]
    assert not office.undelivered


def test_nothing_is_given_up_before_it_is_known_to_the_ward(engine: Engine):
    office = Office(engine, {"pager": Script(*[Refused("no")] * 9)})
    office.core_away = True
    put(engine, delivery())
    office.run(3_000)
    assert office.states() == ["waiting"]
    office.core_away = False
    office.run(2_000)
    assert office.states() == ["failed"]
    assert len(office.undelivered) == 1


def test_the_urgent_go_first_and_the_end_never_before_the_beginning(engine: Engine):
    pager = Script(Failed("no"))
    office = Office(engine, {"pager": pager}, parallel=1)
    put(engine, delivery("low", alert="b", priority="low"), delivery("high"))
    put(engine, delivery("over", reason="resolved"), delivery("other", person="ben"))
    office.run(5_000)
    told = [(m.reason, m.person, m.priority) for m in pager.heard]
    assert told.index(("first", "ada", "high")) < told.index(("resolved", "ada", "high"))
    assert told.index(("first", "ben", "high")) < told.index(("first", "ada", "low"))
    assert len(told) == 4


def test_after_an_outage_everything_has_its_full_time(engine: Engine):
    pager = Script(*[Failed("the network is not up")] * 3)
    office = Office(engine, {"pager": pager})
    put(engine, delivery())
    office.clock.time += 3_600_000
    office.run(20_000)
    assert office.states() == ["sent"]


def test_a_lease_keeps_others_away_until_it_ends(engine: Engine):
    put(engine, delivery())
    with engine.begin() as tx:
        [mine] = claim(tx, "pager", "one", START, 10)
    for later in (0, LEASE_MS - 1):
        with engine.begin() as tx:
            assert not claim(tx, "pager", "two", START + later, 10)
    with engine.begin() as tx:
        [theirs] = claim(tx, "pager", "two", START + LEASE_MS, 10)
    assert (theirs.key, theirs.attempts) == (mine.key, 2)
    with engine.begin() as tx:  # the first was only slow: it no longer has a say
        put_back(tx, mine.id, "one", START, "slow")
        mark_failed(tx, mine.id, "one", "slow")
        assert not claim(tx, "pager", "three", START + LEASE_MS, 10)
        mark_sent(tx, mine.id, START + LEASE_MS)  # but what was told was told
    with engine.begin() as tx:
        assert not claim(tx, "pager", "three", START + 9 * LEASE_MS, 10)


def test_a_clock_set_back_holds_nothing_up(engine: Engine):
    put(engine, delivery(), delivery("held", alert="b"))
    with engine.begin() as tx:
        claim(tx, "pager", "before", START, 1)
    back = START - SKEW_MS - LEASE_MS - 1
    with engine.begin() as tx:
        assert len(claim(tx, "pager", "after", back, 10)) == 2


def test_a_notice_that_cannot_be_shown_keeps_nobody_else_from_being_told(sqlite_engine: Engine):
    pager = Script()
    board = Configured("board", "board", Script(ValueError(), ValueError()), None, 4, "bed", confirmed=True)
    office = Office(sqlite_engine, {"board": board, "pager": pager})
    put(sqlite_engine, delivery("odd", "board"), delivery("odd too", "board", person="ben"), delivery())
    office.sender.send_due()
    assert len(pager.heard) == 1


def test_with_the_clock_set_forward_it_still_waits_between_attempts(engine: Engine):
    """What is made now is stamped by the machine's clock, which the sender's does not follow."""
    pager = Dead()
    office = Office(engine, {"pager": pager}, give_up=20_000)
    put(engine, delivery(created=START + 3_600_000, due=START + 3_600_000))
    office.run(10_000)
    assert 2 <= pager.tried <= 10
    office.run(15_000)
    assert office.states() == ["failed"]


def test_what_is_less_urgent_or_waits_for_the_morning_holds_nothing_up(engine: Engine):
    """An alert was told to wait for the end of quiet hours; then its rule was made a high one."""
    pager = Script()
    office = Office(engine, {"pager": pager})
    put(engine, delivery("waits", priority="low", due=START + 8 * 3_600_000))
    put(engine, delivery("high", reason="priority"))
    put(engine, delivery("waits too", alert="b", priority="low", due=START + 8 * 3_600_000))
    put(engine, delivery("told", alert="b", priority="low", reason="escalation"))
    office.run(1_000)
    assert [(m.priority, m.reason) for m in pager.heard] == [("high", "priority"), ("low", "escalation")]
    phone = Script(*[Failed("busy")] * 2)
    office = Office(engine, {"phone": phone})
    put(engine, delivery("tried", "phone", alert="c", priority="medium"))
    office.sender.send_due()
    put(engine, delivery("now", "phone", alert="c", reason="priority"))
    office.run(250)
    assert phone.tried == 2, "the high one is tried while the other waits for its next turn"


def test_what_was_dropped_while_it_was_sent_counts_as_sent_if_it_got_through(engine: Engine):
    put(engine, delivery(), delivery("b", person="ben"))
    with engine.begin() as tx:
        held = claim(tx, "pager", "me", START, 10)
        assert drop_waiting(tx, "a1", "taken") == 2
    with engine.begin() as tx:
        mark_sent(tx, held[0].id, START + 5)
        mark_failed(tx, held[1].id, "me", "no")
    with engine.connect() as connection:
        assert [row.state for row in deliveries_of(connection, "a1")] == ["sent", "dropped"]


def confirmed(channel: Script) -> Configured:
    return Configured("dashboard", "dashboard", channel, 30_000, 1, "bed", confirmed=True)


def test_the_dashboard_has_it_when_a_page_says_so(engine: Engine):
    board = Script(*[Unconfirmed("no page")] * 99)
    office = Office(engine, {"dashboard": confirmed(board)})
    put(engine, delivery(channel="dashboard"))
    office.run(3_000)
    assert office.states() == ["waiting"]
    assert office.sender.conditions()["dashboard"].broken_since is None
    with engine.begin() as tx:
        (notice,) = to_be_shown(tx, [1, 2], frozenset({"w"}))
        assert not to_be_shown(tx, [1], frozenset({"another"}))
        assert confirm_shown(tx, notice, "screen 3", office.clock.time)
        assert not confirm_shown(tx, notice, "another", START + 9_000)
    shown = office.row(1)
    assert (shown.state, shown.sent, shown.text["shown_by"]) == ("sent", START + 3_000, "screen 3")
    tried = board.tried
    office.run(60_000)
    assert board.tried == tried
    assert not office.undelivered


def test_an_empty_room_is_not_told(engine: Engine):
    board = Script(*[Unconfirmed("no dashboard of the ward is open")] * 99)
    office = Office(engine, {"dashboard": confirmed(board)})
    put(engine, delivery(channel="dashboard"))
    office.run(32_000)
    assert office.states() == ["failed"]
    assert office.undelivered[0][1] == "no dashboard of the ward is open"


def test_a_flood_of_notices_is_handed_on_at_once_the_new_before_the_repeated(sqlite_engine: Engine):
    board = Script(*[Unconfirmed("no page")] * 9_999)
    office = Office(sqlite_engine, {"dashboard": confirmed(board)})
    put(sqlite_engine, *[delivery(f"k{n}", alert=f"a{n}", channel="dashboard") for n in range(450)])
    assert [office.sender.send_due() for _ in range(4)] == [200, 200, 50, 0]
    put(sqlite_engine, delivery("new", alert="new", channel="dashboard"))
    office.clock.time += 1_000
    office.sender.send_due()
    assert board.tried == 650
    with sqlite_engine.connect() as connection:
        assert deliveries_of(connection, "new")[0].attempts == 1


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_is_taken_than_a_channel_can_send_at_once(sqlite_engine: Engine, parallel: int):
    """What waits in line is not held by a lease that could run out before its turn."""
    office = Office(sqlite_engine, {"pager": Script()}, parallel=parallel)
    put(sqlite_engine, *[delivery(f"k{n}", alert=f"a{n}") for n in range(9)])
    assert office.sender.send_due() == parallel
