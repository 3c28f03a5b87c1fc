"""The handover on paper: one row a patient, what needs somebody first in bold."""

from __future__ import annotations

from typing import Any, Final

from ward.language import Language, in_language
from ward.reports.paper import Cell, Column, Foot, Paper
from ward.reports.sheet_words import WORDS, date, moment, ms_of

Json = dict[str, Any]
_MOST_CHANGES: Final = 6
_MOST_OVER: Final = 4


def paper(made: Json, zone: str, language: Language) -> bytes:
    """The PDF of what ``ward.reports.handover`` made. ``zone``: where the ward's clock hangs."""
    return _Sheet(made, zone, language).pdf()


class _Sheet:
    def __init__(self, made: Json, zone: str, language: Language) -> None:
        self.made, self.zone, self.language, self.words = made, zone, language, WORDS[language]
        self.now = ms_of(made["made_at"])

    def pdf(self) -> bytes:
        made, say = self.made, self.words
        start, end = ms_of(made["start"]), ms_of(made["end"])
        times = f"{date(self.zone, start)} {self._time(start, start)} – {self._time(end, start)}"
        shift = f"{made['shift']} · " if made["shift"] else ""
        note = say["note"].format(time=f"{date(self.zone, self.now)} {self._time(self.now, self.now)}")
        place = f"{say['ward'].format(ward=made['ward'])} · {shift}{times}"
        sheet = Paper(say["handover"], place, Foot(note, say["page"]), self.now, landscape=True)
        if made["nobody"]:
            sheet.text_line(say["nobody_has"].format(beds=", ".join(made["nobody"])), bold=True)
        columns = [
            Column(say["bed"], 0.7),
            Column(say["patient"], 1.6),
            Column(say["nurse"], 1.7),
            Column(say["news2"], 0.9),
            Column(say["open"], 3.2),
            Column(say["happened"], 3.0),
            Column(say["limits"], 2.2),
        ]
        sheet.grid(columns, [self._row(one) for one in made["patients"]], size=8.0)
        return sheet.pdf()

    def _time(self, at: int | str | None, day: int | None = None) -> str:
        return moment(self.zone, at, self.now if day is None else day)

    def _row(self, one: Json) -> list[str | Cell]:
        limits = [self._limit(limit) for limit in one["limits"]]
        return [
            Cell(one["bed"], bold=True),
            self._patient(one),
            self._carers(one),
            self._news2(one["news2"]),
            self._open(one),
            "\n".join(self._happened(one)),
            Cell("\n".join(limits), bold=bool(limits)),
        ]

    def _patient(self, one: Json) -> Cell:
        lines = [one["patient_ref"] or "", ", ".join(one["flags"])]
        if one["discharged_at"]:
            lines.append(self.words["left"].format(time=self._time(one["discharged_at"])))
        elif one["paused_until"]:
            away = self.words["away"].format(time=self._time(one["paused_until"]))
            lines.append(f"{away} ({one['paused_reason']})" if one["paused_reason"] else away)
        return Cell("\n".join(filter(None, lines)), quiet=bool(one["discharged_at"]))

    def _carers(self, one: Json) -> Cell:
        had = [f"{h['name']} {self._time(h['since'])}–{self._time(h['until'])}" for h in one["had"]]
        if one["discharged_at"]:
            return Cell("\n".join(had), quiet=True)
        now = one["carer"]["name"] if one["carer"] else self.words["nobody"]
        earlier = had[:-1] if one["carer"] and had else had
        return Cell("\n".join([now, *earlier]), bold=one["carer"] is None)

    def _news2(self, scores: Json) -> Cell:
        then, now = scores["then"], scores["now"]
        why = (now or then or {}).get("not_applicable")
        if why:
            return Cell(self.words[why])
        text = self.words["then_now"].format(then=self._score(then), now=self._score(now))
        rose = bool(then and now) and (now["score"] or 0) > (then["score"] or 0)
        return Cell(text, bold=rose)

    def _score(self, score: Json | None) -> str:
        if score is None or score["score"] is None:
            return self.words["unknown"]
        return f"{score['score']}{'+' if score['partial'] else ''}"

    def _open(self, one: Json) -> Cell:
        if not one["open"]:
            return Cell(self.words["none"], quiet=True)
        lines = []
        for alert in one["open"]:
            state = self.words.get(alert["state"], alert["state"]).format(
                who=alert["by"] or "?", time=self._time(alert["shelved_until"])
            )
            title = in_language(alert["title"], alert["titles"], self.language)
            lines.append(
                f"{self.words[alert['priority']]}: {title}, {self._time(alert['raised_at'])}, {state}"
            )
            if alert["note"]:
                lines.append(f"   “{alert['note']}”")
        urgent = any(a["priority"] == "high" and a["kind"] == "physiological" for a in one["open"])
        return Cell("\n".join(lines), bold=urgent)

    def _happened(self, one: Json) -> list[str]:
        raised = one["raised"]
        lines = [self.words["raised"].format(**raised)] if any(raised.values()) else []
        for alert in one["over"][:_MOST_OVER]:
            title = in_language(alert["title"], alert["titles"], self.language)
            said = self.words.get(alert["assessment"] or "", "")
            lines.append(f"{self._time(alert['raised_at'])} {title}{f' ({said})' if said else ''}")
        if len(one["over"]) > _MOST_OVER:
            lines.append(f"+ {len(one['over']) - _MOST_OVER}")
        return [*lines, *(self._change(change) for change in one["changes"][-_MOST_CHANGES:])]

    def _change(self, change: Json) -> str:
        detail = {
            name: ", ".join(value) if isinstance(value, list) else value
            for name, value in change["detail"].items()
        }
        told = {"from_bed": "?", "after": "", "device": ""} | detail | {"time": self._time(change["at"])}
        who = f" ({change['by']})" if change["by"] else ""
        return f"{self._time(change['at'])} {self.words[change['kind']].format(**told)}{who}"

    def _limit(self, limit: Json) -> str:
        title = in_language(limit["title"], limit["titles"], self.language)
        until = self.words["until"].format(time=self._time(limit["until"]))
        lines = [f"{title}, {until if limit['until'] else self.words['for_good']}"]
        if limit["usual"]:
            usual = in_language(limit["usual"], limit["usual_titles"], self.language)
            lines.append(self.words["instead"].format(usual=usual))
        return "\n".join(lines)
