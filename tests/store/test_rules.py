"""Law 10: every threshold change is versioned, attributed and can be replayed."""

import threading

import pytest
from sqlalchemy import Engine

from ward.errors import PreconditionError
from ward.store.rules import RuleVersion, current_rules, put_rule, rule_history, rules_at


def put(engine: Engine, expected: int, *, rule="spo2", scope="all", limit=88, at=100, **more) -> RuleVersion:
    with engine.begin() as tx:
        return put_rule(
            tx,
            rule_id=rule,
            scope=scope,
            definition={"when": [f"spo2 < {limit}"], "for": "10m"},
            by="Ada",
            at=at,
            expected=expected,
            **more,
        )


def test_each_change_is_a_version_with_who_and_when(engine: Engine) -> None:
    first, second = put(engine, 0), put(engine, 1, limit=90, at=200)
    assert (first.version, second.version) == (1, 2)
    with engine.connect() as connection:
        assert rule_history(connection, "spo2") == [second, first]
        assert current_rules(connection) == [second]
    assert (second.by, second.at, second.definition["when"]) == ("Ada", 200, ["spo2 < 90"])


@pytest.mark.parametrize("expected", [0, 2, -1])
def test_a_change_of_what_was_changed_meanwhile_is_refused(engine: Engine, expected: int) -> None:
    put(engine, 0)
    with pytest.raises(PreconditionError) as refused:
        put(engine, expected, limit=70)
    assert refused.value.extra == {"version": 1, "code": "rule-changed"}
    with engine.connect() as connection:
        assert len(rule_history(connection, "spo2")) == 1


def test_of_many_at_once_one_wins(engine: Engine) -> None:
    put(engine, 0)
    won, lost = [], []

    def change(limit: int) -> None:
        try:
            won.append(put(engine, 1, limit=limit))
        except PreconditionError:
            lost.append(limit)

    threads = [threading.Thread(target=change, args=(limit,)) for limit in range(80, 86)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5)
    with engine.connect() as connection:
        assert current_rules(connection) == won


def test_scopes_have_versions_of_their_own(engine: Engine) -> None:
    everywhere = put(engine, 0)
    here = put(engine, 0, scope="ward:A", limit=85)
    other = put(engine, 0, rule="hr")
    with engine.connect() as connection:
        assert current_rules(connection) == [other, everywhere, here]
        assert current_rules(connection, ["ward:A", "stay:x"]) == [here]
        assert rule_history(connection, "spo2", "all") == [everywhere]


def test_retiring_is_a_version_too(engine: Engine) -> None:
    put(engine, 0, scope="ward:A")
    gone = put(engine, 1, scope="ward:A", retired=True)
    back = put(engine, 2, scope="ward:A", limit=80)
    with engine.connect() as connection:
        assert [v.retired for v in rule_history(connection, "spo2")] == [False, True, False]
        assert current_rules(connection) == [back]
    assert gone.version == 2


def test_what_was_in_force_at_a_time(engine: Engine) -> None:
    first = put(engine, 0, at=100)
    ward = put(engine, 0, scope="ward:A", at=150)
    second = put(engine, 1, at=200)
    with engine.connect() as connection:
        assert rules_at(connection, 99) == []
        assert rules_at(connection, 199) == [first, ward]
        assert rules_at(connection, 200) == [second, ward]
