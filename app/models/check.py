"""食品安全风险管控清单 in editions, and the 每日食品安全检查记录 made by them (日管控)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String
from sqlalchemy import column as bare_column
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Entity, Scoped, column, computed
from app.core.ordering import list_indexes
from app.core.screen import Badge
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import CheckState as S
from app.data.enums import Frequency, ItemResult, Line, SiteKind
from app.data.enums import RiskListState as L
from app.models.enterprise import Enterprise, Site
from app.models.personnel import Person


class RiskList(Scoped):
    """One edition of a list: a template of a line that everybody reads, or a firm's or a site's own.

    Once in force it is never edited; a new edition is made from it. A record says which edition it was made by.
    """

    __tablename__ = "risk_list"
    __label__ = "风险管控清单"
    __owner__ = ("site", "enterprise")
    __shared__ = "template"
    __firm_wide__ = True
    __with_firm__ = True
    __search__ = ("title", "search_text")
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),
        Index("ix_risk_list_line_state", "line", "state"),
        Index("ix_risk_list_office_id_state", "office_id", "state"),
    )
    __workflow__ = Workflow(
        initial=L.DRAFT,
        transitions=(
            Transition("put_in_force", "生效", (L.DRAFT,), L.IN_FORCE, Verb.CONFIRM,
                       confirm="生效后不能再改；上一版到前一天为止。要改时，从这一版制定新版。"),
            Transition("retire", "停用", (L.IN_FORCE,), L.RETIRED, Verb.END, reason=True, kind="danger"),
        ),
        tones={L.DRAFT: "warning", L.IN_FORCE: "success", L.RETIRED: "neutral"},
    )  # fmt: skip

    title: Mapped[str] = column("清单名称", String(120), nullable=False)
    line: Mapped[str] = column("业务线", String(10), choices=Line, nullable=False)
    site_kind: Mapped[str | None] = column("只用于主体类型", String(30), choices=SiteKind)
    enterprise_id: Mapped[int | None] = column("主体", BigId, ForeignKey("enterprise.id"), index=True,
                                               help="主体自己的清单，用于它的全部场所。")  # fmt: skip
    site_id: Mapped[int | None] = column("经营场所", BigId, ForeignKey("site.id"), index=True,
                                         help="只用于一个场所的清单。")  # fmt: skip
    base_id: Mapped[int | None] = column("依据的清单", BigId, ForeignKey("risk_list.id"), index=True,
                                         help="没有填写风险点时，从这一份清单复制。")  # fmt: skip
    template: Mapped[bool] = column("模板", Boolean, system=True, nullable=False, default=False)
    edition: Mapped[int] = column("版次", Integer, system=True, nullable=False, default=1)
    compiler: Mapped[str] = column("编制人", String(60), nullable=False, default="")
    reviewer: Mapped[str] = column(
        "审核人", String(60), nullable=False, default="", help="食品安全总监；没有配备的可以不填。"
    )
    approver: Mapped[str] = column("批准人", String(60), nullable=False, default="", help="主要负责人。")
    valid_from: Mapped[date | None] = column("生效日期", Date, system=True)
    valid_to: Mapped[date | None] = column("停用日期", Date, system=True, help="这一天仍然有效。")
    state: Mapped[str] = column("状态", String(10), choices=L, system=True, nullable=False, default=L.DRAFT)
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("title", "enterprise.name", "site.enterprise.name"))  # fmt: skip

    enterprise: Mapped[Enterprise | None] = relationship()
    site: Mapped[Site | None] = relationship()
    base: Mapped[RiskList | None] = relationship(remote_side="RiskList.id")
    points: Mapped[list[RiskItem]] = relationship(
        back_populates="risk_list", cascade="all, delete-orphan", order_by="RiskItem.position"
    )

    def __str__(self) -> str:
        return str(_("%(title)s 第%(n)s版", title=self.title or "", n=self.edition or 1))


class RiskItem(Entity):
    """One 风险点: what to look at, why, by which rule (confirmed or not), how often."""

    __tablename__ = "risk_item"
    __label__ = "风险点"
    __part_of__ = "risk_list"

    risk_list_id: Mapped[int] = column("清单", BigId, ForeignKey("risk_list.id"), nullable=False, index=True)
    position: Mapped[int] = column("序号", Integer, system=True, nullable=False, default=1)
    code: Mapped[str] = column("项目编号", String(10), nullable=False, format="code")
    text: Mapped[str] = column("检查项目", String(200), nullable=False, format="long")
    why: Mapped[str] = column("可能的风险", String(200), nullable=False, default="", format="long")
    basis: Mapped[str] = column("依据", String(200), nullable=False, default="")
    basis_confirmed: Mapped[bool] = column("依据已核对", Boolean, nullable=False, default=False)
    key_item: Mapped[bool] = column("重点", Boolean, nullable=False, default=False)
    frequency: Mapped[str] = column("频次", String(2), choices=Frequency, nullable=False, default=Frequency.DAILY)
    dropped: Mapped[bool] = column("不采用", Boolean, nullable=False, default=False)
    drop_reason: Mapped[str] = column("不采用的理由", String(200), nullable=False, default="")

    risk_list: Mapped[RiskList] = relationship(back_populates="points")

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


LIVE = bare_column("state") == S.SUBMITTED.value
OPEN = bare_column("state") == S.DRAFT.value


class DailyCheck(Scoped):
    """每日食品安全检查记录 of one site and day. One submitted record a site and day; no problem is a record too.

    `results` holds item code → result for every daily item of the edition; `problems` are the rows that say more.
    `check_date` is a business date of the server; what the device claimed is kept apart and decides nothing.
    """

    __tablename__ = "daily_check"
    __label__ = "日检查记录"
    __owner__ = "site"
    __search__ = ("search_text",)
    __grows__ = True
    __table_args__ = (
        Index("uq_daily_check_live", "site_id", "check_date", unique=True, sqlite_where=LIVE, postgresql_where=LIVE),
        Index("uq_daily_check_open", "site_id", "check_date", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        *list_indexes(
            "daily_check",
            orders=("check_date", "unit", "state"),
            filters=("zero_risk", "late", "transcribed"),
        ),
    )
    __workflow__ = Workflow(
        initial=S.DRAFT,
        transitions=(
            Transition("submit", "提交", (S.DRAFT,), S.SUBMITTED, Verb.SUBMIT,
                       confirm="提交后不能再改；发现填错，另做一份更正记录，原记录保留。"),
            Transition("withdraw", "撤回", (S.SUBMITTED,), S.WITHDRAWN, Verb.REVOKE, reason=True, kind="danger",
                       confirm="撤回后这一天视为没有记录，单位可以重新填报；原记录保留。"),
        ),
        tones={S.DRAFT: "warning", S.SUBMITTED: "success", S.CORRECTED: "neutral", S.WITHDRAWN: "danger"},
    )  # fmt: skip

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    check_date: Mapped[date] = column("检查日期", Date, nullable=False)
    risk_list_id: Mapped[int] = column("清单版本", BigId, ForeignKey("risk_list.id"), system=True, nullable=False,
                                       index=True)  # fmt: skip
    person_id: Mapped[int] = column("检查人", BigId, ForeignKey("person.id"), nullable=False, index=True,
                                    help="检查当天在任的食品安全员或食品安全总监。")  # fmt: skip
    post: Mapped[str] = column("职务", String(20), derived=True, nullable=False, default="", format="term")
    unit: Mapped[str] = column("单位名称", String(120), derived=True, nullable=False, default="")
    results: Mapped[dict[str, str]] = column("检查结果", JSON, derived=True, nullable=False, default=dict)
    zero_risk: Mapped[bool] = column("零风险报告", Boolean, derived=True, nullable=False, default=False)
    reported_to: Mapped[str] = column("上报对象", String(60), nullable=False, default="",
                                      help="有不符合项时填写：报给了总监或主要负责人中的谁。")  # fmt: skip
    reported_at: Mapped[datetime | None] = column("上报时间", UtcDateTime, system=True)
    late: Mapped[bool] = column("补录", Boolean, system=True, nullable=False, default=False)
    late_reason: Mapped[str] = column("补录或更正的理由", String(200), nullable=False, default="")
    transcribed: Mapped[bool] = column("代录", Boolean, system=True, nullable=False, default=False)
    corrects_id: Mapped[int | None] = column("更正的记录", BigId, ForeignKey("daily_check.id"), index=True)
    device_date: Mapped[date | None] = column("设备日期", Date)
    submitted_at: Mapped[datetime | None] = column("提交时间", UtcDateTime, system=True)
    state: Mapped[str] = column("状态", String(10), choices=S, system=True, nullable=False, default=S.DRAFT)
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("site.search_text",))  # fmt: skip

    site: Mapped[Site] = relationship()
    person: Mapped[Person] = relationship()
    risk_list: Mapped[RiskList] = relationship()
    corrects: Mapped[DailyCheck | None] = relationship(remote_side="DailyCheck.id")
    problems: Mapped[list[CheckProblem]] = relationship(
        back_populates="check", cascade="all, delete-orphan", order_by="CheckProblem.position"
    )

    def __str__(self) -> str:
        return f"{self.unit} {self.check_date:%Y-%m-%d}"

    @computed("结果")
    def summary(self) -> Badge | str:
        """How many of each, the worst first; red when something was not met."""
        given = list((self.results or {}).values())
        told = [(one, given.count(one)) for one in (ItemResult.NOT_MET, ItemResult.NOT_APPLICABLE, ItemResult.MET)]
        text = " · ".join(f"{_(word)} {n}" for word, n in told if n)
        return text if ItemResult.NOT_MET not in given else Badge(text, "danger")

    @computed("标记")
    def marks(self) -> Badge | None:
        """补录, 代录, 更正: what a reader of the list should know."""
        words = ((self.late, _("补录")), (self.transcribed, _("代录")), (self.corrects_id, _("更正")))
        found = _("、").join(str(word) for holds, word in words if holds)
        return Badge(found, "warning") if found else None

    @hybrid_property
    def answers(self) -> dict[str, dict[str, str]]:
        """Item code → choice and what was written beside it: the form's view of `results` and `problems`."""
        found = {code: {"choice": choice} for code, choice in (self.results or {}).items()}
        for row in self.problems:
            words = {"note": row.note, "measure": row.measure, "responsible": row.responsible}
            found[row.code] = {
                "choice": row.result,
                **(words if row.result == ItemResult.NOT_MET else {"reason": row.note}),
            }
        return found

    @answers.inplace.setter
    def _take(self, answers: dict[str, Any]) -> None:
        """Keep the choices as they came, and a row for each item that is not simply met."""
        self.results = {code: one["choice"] for code, one in answers.items() if one.get("choice")}
        stored = {row.code: row for row in self.problems}
        kept = []
        for code, one in answers.items():
            if one.get("choice") in {ItemResult.NOT_MET, ItemResult.NOT_APPLICABLE}:
                row = stored.get(code) or CheckProblem(code=code)
                row.result, bad = one["choice"], one["choice"] == ItemResult.NOT_MET
                row.note = one.get("note" if bad else "reason", "")
                row.measure = one.get("measure", "") if bad else ""
                row.responsible = one.get("responsible", "") if bad else ""
                kept.append(row)
        if [id(row) for row in kept] != [id(row) for row in self.problems]:
            self.problems = kept


class CheckProblem(Entity):
    """An item of a record that was not met (problem, measure, who) or did not apply (why)."""

    __tablename__ = "check_problem"
    __label__ = "不符合和不适用项"
    __part_of__ = "check"

    check_id: Mapped[int] = column("检查记录", BigId, ForeignKey("daily_check.id"), nullable=False, index=True)
    position: Mapped[int] = column("序号", Integer, system=True, nullable=False, default=1)
    item_id: Mapped[int] = column("风险点", BigId, ForeignKey("risk_item.id"), system=True, nullable=False, index=True)
    code: Mapped[str] = column("项目编号", String(10), nullable=False, format="code")
    result: Mapped[str] = column("结果", String(10), choices=ItemResult, nullable=False)
    note: Mapped[str] = column("存在问题或不适用的理由", String(300), nullable=False, default="", format="long")
    measure: Mapped[str] = column("防范措施、处置结果", String(300), nullable=False, default="", format="long")
    responsible: Mapped[str] = column("责任部门及责任人", String(60), nullable=False, default="")

    check: Mapped[DailyCheck] = relationship(back_populates="problems")
    item: Mapped[RiskItem] = relationship()

    def __str__(self) -> str:
        return f"{self.code} {_(self.result)}"
