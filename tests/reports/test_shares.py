"""Small numbers are not over-read."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward.language import LANGUAGES
from ward.reports.shares import (
    CLUSTER,
    JEFFREYS,
    Share,
    beta_below,
    beta_quantile,
    common_prior,
    share,
    verdict,
    weight,
)


def of(actionable: int, not_actionable: int, artefact: int, patients: int | None = None) -> str:
    """The verdict where each patient gave about as many."""
    total = actionable + not_actionable + artefact
    n = patients or total
    worth = weight([total // n + (i < total % n) for i in range(n)]) if total else 0.0
    shares = (share(k, total, worth) for k in (actionable, not_actionable, artefact))
    return verdict(total, n, *shares).words()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0, 0, 0), "not assessed"),
        ((3, 1, 0), "too few to tell (3 of 4 actionable)"),
        ((4, 0, 0), "too few to tell (4 of 4 actionable)"),
        ((0, 0, 4), "too few to tell (0 of 4 actionable)"),
        ((40, 0, 0, 1), "too few patients to tell (40 of 40 actionable, patients: 1)"),
        ((5, 0, 0), "at least 65 % actionable"),
        ((5, 5, 0), "uncertain: 25 % to 75 % actionable"),
        ((40, 10, 0), "at least 65 % actionable"),
        ((2, 3, 45), "likely mostly artefact"),
        ((2, 45, 3), "likely mostly not actionable"),
        ((5, 25, 20), "at most 20 % actionable"),
    ],
)
def test_the_words_say_no_more_than_the_numbers(counts, words):
    assert of(*counts) == words


def test_many_alerts_of_few_patients_count_less():
    assert weight([1] * 50) == 50
    assert weight([10] * 5) == pytest.approx(50 / (1 + 9 * CLUSTER))
    assert of(40, 10, 0, 50) == "at least 65 % actionable"
    assert of(40, 10, 0, 5) == "at least 55 % actionable"


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (0.5, 30.5), (3.5, 1.5), (40.2, 11.7), (900, 4000)])
def test_the_beta_distribution_is_the_textbooks(a, b):
    beta = pytest.importorskip("scipy.stats").beta
    for p in (0.01, 0.05, 0.5, 0.95, 0.99):
        assert beta_quantile(p, a, b) == pytest.approx(beta.ppf(p, a, b), abs=1e-8)
    for x in (0.001, 0.2, 0.7, 0.999):
        assert beta_below(x, a, b) == pytest.approx(beta.cdf(x, a, b), abs=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.2, 1))
def test_an_interval_holds_its_share_and_narrows_with_what_it_is_worth(k, others, part):
    total = k + others
    if not total:
        assert share(0, 0, 0.0) == Share(0, None, None, None)
        return
    wide, narrow = share(k, total, total * part), share(k, total, total)
    for found in (wide, narrow):
        assert 0 <= found.low <= found.share <= found.high <= 1
    assert wide.high - wide.low >= narrow.high - narrow.low - 1e-9


def test_nine_of_ten_intervals_hold_the_truth_also_where_patients_differ():
    """Patients of their own kind, with a correlation as assumed: a seeded simulation."""
    draw = random.Random(7)
    held = claims = wrong = 0
    trials = 1500
    for _ in range(trials):
        truth = draw.uniform(0.05, 0.95)
        strength = 1 / CLUSTER - 1
        sizes = [draw.choice((1, 1, 2, 3, 8)) for _ in range(draw.randint(3, 25))]
        given_by = [
            sum(draw.random() < own for _ in range(n))
            for n in sizes
            for own in [draw.betavariate(truth * strength, (1 - truth) * strength)]
        ]
        found = share(sum(given_by), sum(sizes), weight(sizes))
        held += found.low <= truth <= found.high
        said = verdict(sum(sizes), len(sizes), found, Share(0, 0, 0, 0), Share(0, 0, 0, 0))
        if said.kind == "mostly-actionable":
            claims += 1
            wrong += truth < said.low
    assert held / trials >= 0.87
    assert claims > 300
    assert wrong / claims <= 0.08


def test_rules_with_few_assessments_are_drawn_to_the_others():
    rules = [(18.0, 20.0), (45.0, 50.0), (27.0, 30.0), (0.0, 2.0)]
    prior = common_prior(rules)
    estimates = [prior.mean(k, n) for k, n in rules]
    assert estimates[3] > 0.3, "two alerts do not make a rule worthless"
    assert all(abs(e - k / n) < 0.1 for e, (k, n) in zip(estimates[:3], rules, strict=False))
    assert common_prior(rules[:2]) == JEFFREYS
    assert all(a.mean(3, 4) == b.mean(3, 4) for a, b in pairwise([prior, common_prior([*rules, (0, 0)])]))


def test_a_verdict_is_said_in_each_language_from_the_same_numbers():
    said = verdict(50, 50, share(40, 50, 50), share(10, 50, 50), share(0, 50, 50))
    assert {language: said.words(language) for language in LANGUAGES} == {
        "da": "mindst 65 % krævede handling",
        "en": "at least 65 % actionable",
        "nb": "minst 65 % krevde handling",
    }
