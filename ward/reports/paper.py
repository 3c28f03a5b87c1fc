"""What every report on paper shares: pages with head and foot, headings, text, tables; as PDF.

The font is embedded, with the letters of Danish and Norwegian among all others of Latin script, so that a
page looks the same on every machine and printer. The same content gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal

import font_source_sans_pro as font_files
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

FONT: Final = "Source Sans Pro"
MEDIA_TYPE: Final = "application/pdf"
INK: Final = 20
QUIET: Final = 95
LINE: Final = 170
SHADE: Final = 236
"""Greys from 0 (black): everything must survive a black-and-white printer."""
MARGIN: Final = 12.0
"""mm"""
SIZE: Final = 9.5
"""points"""

Align = Literal["LEFT", "RIGHT", "CENTER"]


@dataclass(frozen=True, slots=True)
class Column:
    """One of a table: its heading, its share of the width, and where its text stands."""

    title: str
    width: float
    align: Align = "LEFT"


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with a weight: bold for what must be seen, grey for what need not."""

    text: str
    bold: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Foot:
    """Words of the foot of each page; ``page`` has the places ``{page}`` and ``{pages}``."""

    note: str
    page: str = "{page} / {pages}"


class Paper(FPDF):
    """An A4 document. Made whole, then asked for its ``pdf``. ``made``: ms since 1970 UTC."""

    def __init__(self, title: str, place: str, foot: Foot, made: int, *, landscape: bool = False) -> None:
        super().__init__(orientation="landscape" if landscape else "portrait", format="A4")
        self._title, self._place, self._foot = title, place, foot
        self.set_title(f"{title}, {place}")
        self.set_creator("ward")
        self.set_creation_date(datetime.fromtimestamp(made / 1000, UTC))
        for style, file in _faces().items():
            self.add_font(FONT, style, file)
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN + 6)
        self.add_page()

    # --- head and foot: fpdf2 calls them for each page ------------------------------------------------

    def header(self) -> None:
        self._face("B", 14)
        self.cell(self.epw * 0.6, 7, self._title, align="L", new_x=XPos.RIGHT, new_y=YPos.TOP)
        self._face("B", 11)
        self.cell(self.epw * 0.4, 7, self._place, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_draw_color(INK)
        self.line(self.l_margin, self.get_y() + 1, self.w - self.r_margin, self.get_y() + 1)
        self.set_y(self.get_y() + 3)
        self._face("", SIZE)

    def footer(self) -> None:
        self.set_y(-MARGIN - 2)
        self._face("", 7.5, QUIET)
        page = self._foot.page.format(page=self.page_no(), pages="{nb}")
        self.cell(self.epw * 0.8, 4, self._foot.note, align="L", new_x=XPos.RIGHT, new_y=YPos.TOP)
        self.cell(self.epw * 0.2, 4, page, align="R")

    # --- content --------------------------------------------------------------------------------------

    def heading(self, text: str, room: float = 25.0) -> None:
        """Never the last line of a page: ``room`` (mm) must be left below it."""
        if self.will_page_break(room):
            self.add_page()
        self.set_y(self.get_y() + 2.5)
        self._face("B", 11.5)
        self.multi_cell(0, 6, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._face("", SIZE)

    def text_line(self, text: str, *, bold: bool = False, quiet: bool = False) -> None:
        """A paragraph, broken where it must be."""
        self._face("B" if bold else "", SIZE, QUIET if quiet else INK)
        self.multi_cell(0, 4.6, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._face("", SIZE)

    def grid(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str | Cell]],
        *,
        size: float = SIZE - 1,
        shaded: Iterable[int] = (),
    ) -> None:
        """A table whose head comes again on each page; no row is torn in two. ``shaded``: rows by number."""
        grey = frozenset(shaded)
        self._face("", size)
        self.set_draw_color(LINE)
        head = FontFace(emphasis="BOLD", color=QUIET)
        with self.table(
            col_widths=[column.width for column in columns],
            text_align=[column.align for column in columns],
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=head,
            line_height=size * 0.46,
            padding=(0.7, 1.2, 0.7, 0.3),
            v_align="T",
        ) as table:
            table.row([column.title for column in columns])
            for number, row in enumerate(rows):
                line: Any = table.row(style=FontFace(fill_color=SHADE) if number in grey else None)
                for cell in row:
                    shown = cell if isinstance(cell, Cell) else Cell(cell)
                    line.cell(shown.text, style=_style(shown))
        self.set_y(self.get_y() + 1.5)
        self._face("", SIZE)

    def pdf(self) -> bytes:
        """The document's bytes. It can be written once: the fonts' files are closed."""
        made = bytes(self.output())
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()
        return made

    def _face(self, style: Literal["", "B"], size: float, grey: int = INK) -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(grey)


def _style(cell: Cell) -> FontFace:
    return FontFace(emphasis="BOLD" if cell.bold else None, color=QUIET if cell.quiet else INK)


@cache
def _faces() -> dict[Literal["", "B"], str]:
    """The font's files, by style."""
    files = font_files.font_files_ttf
    return {"": files["SourceSansPro"], "B": files["SourceSansProBold"]}
