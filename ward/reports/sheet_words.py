"""What the handover and the downtime sheet say, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ward.language import Language
from ward.zones import day_text, local

Words = Mapping[str, str]

_ENGLISH: Final = {
    "handover": "Handover",
    "downtime": "Downtime sheet",
    "ward": "Ward {ward}",
    "note": "Written by ward at {time}. Not a medical device: look at the patient.",
    "page": "Page {page} of {pages}",
    "bed": "Bed",
    "patient": "Patient",
    "nurse": "Who has her",
    "nobody": "NOBODY",
    "nobody_has": "Nobody has: {beds}",
    "had": "Had her this shift",
    "open": "Open alarms",
    "none": "none",
    "happened": "This shift",
    "changed": "Changed",
    "limits": "Own limits",
    "instead": "instead of: {usual}",
    "until": "until {time}",
    "for_good": "without an end",
    "by": "by {who}",
    "news2": "NEWS2",
    "then_now": "{then} → {now}",
    "unknown": "?",
    "under-16": "not for under-16s",
    "pregnant": "not in pregnancy",
    "away": "Away until {time}",
    "left": "Left {time}",
    "raised": "{high} high, {medium} medium, {low} low, {technical} technical",
    "high": "HIGH",
    "medium": "Medium",
    "low": "Low",
    "active": "nobody has taken it",
    "returned": "over before anybody took it",
    "acknowledged": "taken by {who}",
    "shelved": "muted until {time} by {who}",
    "closed": "over",
    "actionable": "actionable",
    "not-actionable": "nothing to do",
    "artefact": "artefact",
    "as_of": "As of {time}. What happened later is not on it.",
    "values": "Last values",
    "stale": "old: {age}",
    "write": "By hand",
    "admitted": "admitted",
    "discharged": "discharged",
    "moved": "moved from {from_bed}",
    "flags": "flags: {after}",
    "paused": "away from {time}",
    "pause-ended": "back {time}",
    "attached": "device {device} on",
    "detached": "device {device} off",
}
_DANISH: Final = {
    "handover": "Overlevering",
    "downtime": "Nødskema ved nedetid",
    "ward": "Afsnit {ward}",
    "note": "Skrevet af ward {time}. Ikke medicinsk udstyr: se på patienten.",
    "page": "Side {page} af {pages}",
    "bed": "Seng",
    "patient": "Patient",
    "nurse": "Hvem har patienten",
    "nobody": "INGEN",
    "nobody_has": "Ingen har: {beds}",
    "had": "Havde patienten i vagten",
    "open": "Åbne alarmer",
    "none": "ingen",
    "happened": "I vagten",
    "changed": "Ændret",
    "limits": "Egne grænser",
    "instead": "i stedet for: {usual}",
    "until": "til {time}",
    "for_good": "uden slut",
    "by": "af {who}",
    "news2": "NEWS2",
    "then_now": "{then} → {now}",
    "unknown": "?",
    "under-16": "ikke under 16 år",
    "pregnant": "ikke ved graviditet",
    "away": "Væk til {time}",
    "left": "Udskrevet {time}",
    "raised": "{high} høj, {medium} mellem, {low} lav, {technical} teknisk",
    "high": "HØJ",
    "medium": "Mellem",
    "low": "Lav",
    "active": "ingen har kvitteret",
    "returned": "ophørt før nogen kvitterede",
    "acknowledged": "kvitteret af {who}",
    "shelved": "udsat til {time} af {who}",
    "closed": "ophørt",
    "actionable": "krævede handling",
    "not-actionable": "intet at gøre",
    "artefact": "artefakt",
    "as_of": "Som det var {time}. Hvad der skete senere, står her ikke.",
    "values": "Seneste værdier",
    "stale": "gammel: {age}",
    "write": "I hånden",
    "admitted": "indlagt",
    "discharged": "udskrevet",
    "moved": "flyttet fra {from_bed}",
    "flags": "markeringer: {after}",
    "paused": "væk fra {time}",
    "pause-ended": "tilbage {time}",
    "attached": "apparat {device} på",
    "detached": "apparat {device} af",
}
_NORWEGIAN: Final = {
    "handover": "Vaktrapport",
    "downtime": "Nødskjema ved nedetid",
    "ward": "Post {ward}",
    "note": "Skrevet av ward {time}. Ikke medisinsk utstyr: se på pasienten.",
    "page": "Side {page} av {pages}",
    "bed": "Seng",
    "patient": "Pasient",
    "nurse": "Hvem har pasienten",
    "nobody": "INGEN",
    "nobody_has": "Ingen har: {beds}",
    "had": "Hadde pasienten denne vakten",
    "open": "Åpne alarmer",
    "none": "ingen",
    "happened": "Denne vakten",
    "changed": "Endret",
    "limits": "Egne grenser",
    "instead": "i stedet for: {usual}",
    "until": "til {time}",
    "for_good": "uten slutt",
    "by": "av {who}",
    "news2": "NEWS2",
    "then_now": "{then} → {now}",
    "unknown": "?",
    "under-16": "ikke under 16 år",
    "pregnant": "ikke ved graviditet",
    "away": "Borte til {time}",
    "left": "Skrevet ut {time}",
    "raised": "{high} høy, {medium} middels, {low} lav, {technical} teknisk",
    "high": "HØY",
    "medium": "Middels",
    "low": "Lav",
    "active": "ingen har kvittert",
    "returned": "over før noen kvitterte",
    "acknowledged": "kvittert av {who}",
    "shelved": "utsatt til {time} av {who}",
    "closed": "over",
    "actionable": "krevde handling",
    "not-actionable": "ingenting å gjøre",
    "artefact": "artefakt",
    "as_of": "Slik det var {time}. Det som skjedde senere, står ikke her.",
    "values": "Siste verdier",
    "stale": "gammel: {age}",
    "write": "For hånd",
    "admitted": "lagt inn",
    "discharged": "skrevet ut",
    "moved": "flyttet fra {from_bed}",
    "flags": "merker: {after}",
    "paused": "borte fra {time}",
    "pause-ended": "tilbake {time}",
    "attached": "apparat {device} på",
    "detached": "apparat {device} av",
}
WORDS: Final[Mapping[Language, Words]] = {"da": _DANISH, "en": _ENGLISH, "nb": _NORWEGIAN}


def ms_of(text: str) -> int:
    """ms since 1970 of RFC 3339 text."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def moment(zone: str, at: int | str | None, now: int) -> str:
    """Clock time on the ward's clock; with day and month where it is not of today. ``at``: ms or RFC 3339."""
    if at is None:
        return ""
    ms = ms_of(at) if isinstance(at, str) else at
    day, clock = local(zone, ms)
    minutes = clock // 60_000
    text = f"{minutes // 60:02}:{minutes % 60:02}"
    if day == local(zone, now)[0]:
        return text
    _, month, number = day_text(day).split("-")
    return f"{int(number)}/{int(month)} {text}"


def date(zone: str, at: int) -> str:
    """``22/11 2026``, as all three languages write it in short."""
    year, month, number = day_text(local(zone, at)[0]).split("-")
    return f"{int(number)}/{int(month)} {year}"
