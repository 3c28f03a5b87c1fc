"""What people are told, in the language of the hospital."""

from __future__ import annotations

import pytest

from ward.notify.message import Message, message_of
from ward.store.deliveries import Sending

TEXT = {
    "title": "SpO2 below 88 % for 10 min",
    "titles": {"da": "SpO2 under 88 % i 10 min", "nb": "SpO2 under 88 % i 10 min"},
    "bed": "12",
    "since": 1_795_230_000_000,
    "zone": "Europe/Copenhagen",
}


def said(language: str, reason: str = "first", detail: str = "bed", text: dict = TEXT) -> Message:
    given = dict.fromkeys(Sending.__dataclass_fields__) | {
        "id": 1,
        "key": "k",
        "ward": "6A",
        "priority": "high",
        "kind": "physiological",
        "reason": reason,
        "level": 0,
        "person": "ada",
        "text": text,
    }
    return message_of(Sending(**given), detail, "https://ward.example/", language=language)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "first", "escalation", "nothing", "test"),
    [
        (
            "da",
            "Afsnit 6A, seng 12: alarm med høj prioritet. SpO2 under 88 % i 10 min, siden 04:00. ",
            "Ingen har kvitteret: Afsnit 6A",
            "Afsnit 6A: alarm med høj prioritet. Se tavlen. ",
            "Testalarm for afsnit 6A. Dette er en test.",
        ),
        (
            "en",
            "Ward 6A, bed 12: high alert. SpO2 below 88 % for 10 min, since 04:00. ",
            "Nobody has taken it: Ward 6A",
            "Ward 6A: high alert. See the dashboard. ",
            "Test alert of ward 6A. This is a test.",
        ),
        (
            "nb",
            "Post 6A, seng 12: alarm med høy prioritet. SpO2 under 88 % i 10 min, siden 04:00. ",
            "Ingen har kvittert: Post 6A",
            "Post 6A: alarm med høy prioritet. Se tavlen. ",
            "Testalarm for post 6A. Dette er en test.",
        ),
    ],
)
def test_in_words(language: str, first: str, escalation: str, nothing: str, test: str) -> None:
    assert said(language).text == first + "https://ward.example/"
    assert said(language, "escalation").text.startswith(escalation)
    assert said(language, detail="none").text == nothing + "https://ward.example/"
    assert said(language, "test").text.startswith(test)


@pytest.mark.parametrize(
    ("language", "begins"),
    [
        ("da", "Overdraget til dig: Afsnit"),
        ("en", "Handed over to you: Ward"),
        ("nb", "Overlatt til deg: Post"),
    ],
)
def test_who_is_handed_an_alert_is_told_so(language: str, begins: str) -> None:
    assert said(language, "handed-over").text.startswith(begins)


def test_a_title_that_nobody_translated_is_told_as_it_is() -> None:
    assert "Lav iltmætning" in said("nb", text={**TEXT, "title": "Lav iltmætning", "titles": {}}).text
    assert "below 88" in said("da", text={"title": TEXT["title"]}).text, "as written by an older version"
