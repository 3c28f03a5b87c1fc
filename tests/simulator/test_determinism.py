"""The same seed gives the same ward, byte for byte, however its time is cut."""

from itertools import takewhile

import numpy as np
import pytest

from simulator import messages, plan_ward
from simulator.noise import PAGE, Waves, normal, uniform
from tests.simulator.reading import HOUR, MINUTE, START, samples, vitals


def ward(seed=3, beds=4, **options):
    return plan_ward(seed, beds, skewed_clocks=True, **options)


def test_same_seed_same_bytes():
    first = list(messages(ward(), START, 40 * MINUTE))
    assert len(first) > 1_000
    assert first == list(messages(ward(), START, 40 * MINUTE))


def test_other_seed_other_bytes():
    one, other = (list(messages(ward(seed), START, 5 * MINUTE)) for seed in (3, 4))
    assert {m.payload for m in one if m.what == "vitals"}.isdisjoint(m.payload for m in other)


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    long = list(messages(ward(), START, HOUR, 10_000))
    short = list(messages(ward(), START, 37 * MINUTE, 10_000))
    assert short == list(takewhile(lambda m: m.at < START + 37 * MINUTE, long))


@pytest.mark.parametrize("batch", [1_000, 7_000, 24_000, 300_000])
def test_batches_change_the_messages_not_the_samples(batch):
    def content(found):
        # A batch that is still open at the end is not sent: compare what both have had time to send.
        return {
            (message.device, message.session, sample["seq"]): sample
            for message in vitals(found)
            for _, time, sample in samples([message])
            if time < 30 * MINUTE
        }

    plan = ward()
    assert content(messages(plan, START, HOUR, batch)) == content(messages(plan, START, HOUR, 3_000))


def test_a_restarted_simulator_does_not_repeat_a_session():
    now, later = (list(messages(ward(), start, MINUTE)) for start in (START, START + 5))
    assert {m.session for m in now}.isdisjoint(m.session for m in later)


def test_noise_depends_on_place_only():
    index = np.arange(0, 3 * PAGE)
    whole = normal((1, 2), index)
    assert np.array_equal(whole[PAGE - 3 : PAGE + 9], normal((1, 2), index[PAGE - 3 : PAGE + 9]))
    assert abs(whole.mean()) < 0.1
    assert 0.9 < whole.std() < 1.1
    assert 0 <= uniform((1, 2), index).min() <= uniform((1, 2), index).max() < 1
    slow = Waves((1, 3), 2.0, 10, 600, 40)(np.arange(0, 40_000.0, 5))
    assert 1.7 < slow.std() < 2.3
