"""Paper: letters that must not be lost, heads on every page, the same bytes for the same content."""

from __future__ import annotations

import io
import re
import zlib
from pathlib import Path

from fontTools.ttLib import TTFont

from ward.reports.paper import Cell, Column, Foot, Paper, _faces

MADE = 1_795_000_000_000
FOOT = Foot("made by ward", "page {page} of {pages}")


def sheet(rows: int, made: int = MADE) -> Paper:
    paper = Paper("Vagtskifte", "6A", FOOT, made)
    paper.heading("Æblegrød på Ærø")
    columns = [Column("Seng", 1), Column("Værdi", 2, "RIGHT"), Column("Noter", 6)]
    paper.grid(columns, [[Cell(str(n), bold=True), "84 %", "falder"] for n in range(rows)], shaded=[0])
    return paper


def test_every_letter_of_the_three_languages_and_of_the_field_is_in_both_faces():
    for file in _faces().values():
        known = TTFont(io.BytesIO(Path(file).read_bytes())).getBestCmap()
        assert not [letter for letter in "æøåÆØÅéüöäð–—…‘’“”·≤≥₂°µ→↑↓×±☐" if ord(letter) not in known]


def test_a_long_table_goes_on_with_its_head_on_the_next_page():
    paper = sheet(120)
    assert paper.page_no() > 1
    streams = [
        zlib.decompress(found) for found in re.findall(rb"stream\n(x\x9c.*?)\nendstream", paper.pdf(), re.S)
    ]
    pages = [stream for stream in streams if b" Tf" in stream]
    assert len(pages) == paper.page_no()
    heads = {re.search(rb"\((.*?)\) Tj", page, re.S)[1] for page in pages}
    assert len(heads) == 1  # the title, on each


def test_the_same_content_gives_the_same_bytes_and_another_time_other_ones():
    assert sheet(3).pdf() == sheet(3).pdf()
    assert sheet(3).pdf() != sheet(3, MADE + 60_000).pdf()


def test_a_heading_is_never_the_last_line_of_a_page():
    paper = sheet(2)
    paper.set_y(paper.h - 35)
    paper.heading("Next")
    assert paper.page_no() == 2
    assert paper.pdf()  # closes the font's files
