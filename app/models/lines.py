"""The three business lines (条线) as bits; the seed divides the work by them."""

from __future__ import annotations

from enum import IntFlag

from flask_babel import lazy_gettext as _

from app.core.lines import register_lines
from app.data.enums import Line as Word


class Line(IntFlag):
    """食品生产, 食品销售(流通), 餐饮服务."""

    PRODUCTION = 1
    SALES = 2
    CATERING = 4


# the word that a column keeps of a line, in the order of the bits
BITS = {Word.PRODUCTION: int(Line.PRODUCTION), Word.SALES: int(Line.SALES), Word.CATERING: int(Line.CATERING)}
ALL_LINES = int(Line.PRODUCTION | Line.SALES | Line.CATERING)

register_lines(
    {Line.PRODUCTION.value: _("食品生产"), Line.SALES.value: _("食品销售"), Line.CATERING.value: _("餐饮服务")}
)
