"""落实自查表: what a firm says of itself, point by point, at joining and every year; the station confirms it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text
from sqlalchemy import column as bare_column
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Scoped, column, computed
from app.core.screen import Badge
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.people import AssessmentState as S
from app.data.people import Occasion, PointAnswer
from app.models.enterprise import Enterprise

EDITION = 1  # of the points that a new one is answered by (data/self_points.json)
LIVE = bare_column("state") != S.VOID.value
WORST_FIRST = (PointAnswer.NOT_DONE, PointAnswer.NOT_APPLICABLE, PointAnswer.DONE)
WORDS_OF: dict[str, str] = {PointAnswer.NOT_DONE: "plan", PointAnswer.NOT_APPLICABLE: "reason"}


class SelfAssessment(Scoped):
    """The answers of one firm, for one occasion and year, by one edition of the points. Confirmed, it is closed.

    `results` holds point → answer, `notes` point → what was written beside an answer that asks for words.
    """

    __tablename__ = "self_assessment"
    __label__ = "落实自查表"
    __owner__ = "enterprise"
    __firm_wide__ = True
    __search__ = ("search_text",)
    __table_args__ = (
        Index("uq_self_assessment_live", "enterprise_id", "occasion", "year", unique=True, sqlite_where=LIVE,
              postgresql_where=LIVE),
        Index("ix_self_assessment_office_id_state", "office_id", "state"),
    )  # fmt: skip
    __workflow__ = Workflow(
        initial=S.DRAFT,
        transitions=(
            Transition("submit", "提交", (S.DRAFT, S.RETURNED), S.SUBMITTED, Verb.SUBMIT,
                       confirm="提交后由监管所核对；确认后不能再改。"),
            Transition("confirm", "确认", (S.SUBMITTED,), S.CONFIRMED, Verb.CONFIRM,
                       confirm="确认所填与监管所掌握的情况一致；确认后不能再改。"),
            Transition("return", "退回", (S.SUBMITTED,), S.RETURNED, Verb.RETURN, reason=True, kind="plain",
                       confirm="请写明哪几项与实际不符，单位改后重新提交。"),
            Transition("void", "作废", (S.CONFIRMED,), S.VOID, Verb.REVOKE, reason=True, kind="danger",
                       confirm="作废后视为没有提交，单位可以另填一份；原表保留。"),
        ),
        tones={S.DRAFT: "neutral", S.SUBMITTED: "warning", S.RETURNED: "danger", S.CONFIRMED: "success",
               S.VOID: "neutral"},
    )  # fmt: skip

    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    occasion: Mapped[str] = column("自查情形", String(10), choices=Occasion, nullable=False)
    year: Mapped[int] = column("年度", Integer, nullable=False, format="code")
    unit: Mapped[str] = column("单位名称", String(120), derived=True, nullable=False, default="",
                               of=("enterprise.name",))  # fmt: skip
    edition: Mapped[int] = column("自查表版次", Integer, system=True, nullable=False, default=EDITION)
    results: Mapped[dict[str, str]] = column("自查结果", JSON, derived=True, nullable=False, default=dict)
    notes: Mapped[dict[str, str]] = column("自查说明", JSON, derived=True, nullable=False, default=dict)
    not_done: Mapped[int] = column("未落实项数", Integer, derived=True, nullable=False, default=0, of=("results",))
    differs: Mapped[str] = column("退回时指出的不符之处", Text, system=True, nullable=False, default="",
                                  format="long")  # fmt: skip
    submitted_at: Mapped[datetime | None] = column("提交时间", UtcDateTime, system=True)
    decided_at: Mapped[datetime | None] = column("核对时间", UtcDateTime, system=True)
    state: Mapped[str] = column("状态", String(10), choices=S, system=True, nullable=False, default=S.DRAFT)
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("enterprise.name",))  # fmt: skip

    enterprise: Mapped[Enterprise] = relationship()

    def __str__(self) -> str:
        told = (self.unit, self.year, _(self.occasion) if self.occasion else "")
        return " ".join(str(part) for part in told if part)

    @computed("结果")
    def summary(self) -> Badge | str:
        """How many of each, the worst first; red when something is not done."""
        given = list((self.results or {}).values())
        text = " · ".join(f"{_(one)} {given.count(one)}" for one in WORST_FIRST if one in given)
        return Badge(text, "danger") if PointAnswer.NOT_DONE in given else text

    @hybrid_property
    def answers(self) -> dict[str, dict[str, str]]:
        """Point → choice and the words beside it: the form's view of `results` and `notes`."""
        found: dict[str, dict[str, str]] = {}
        for code, choice in (self.results or {}).items():
            found[code] = {"choice": choice}
            if name := WORDS_OF.get(choice):
                found[code][name] = (self.notes or {}).get(code, "")
        return found

    @answers.inplace.setter
    def _take(self, answers: dict[str, Any]) -> None:
        """Keep the choices as they came, and the words that belong to them."""
        chosen = {code: one for code, one in answers.items() if one.get("choice")}
        self.results = {code: one["choice"] for code, one in chosen.items()}
        words = {code: one.get(WORDS_OF.get(one["choice"], ""), "") for code, one in chosen.items()}
        self.notes = {code: text for code, text in words.items() if text}
