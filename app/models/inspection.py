"""Inspection and its Findings. Kind, selection, style and place are four axes (Order 49; domain §5.3)."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, relationship

from app.core.access.seal import not_sealed, only_sealed
from app.core.charge import Charge
from app.core.entity import BigId, Entity, Scoped, Seal, Team, column
from app.core.office import Account, register_assignable
from app.core.ordering import list_indexes
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import InspectionKind, InspectionPlace, InspectionResult, InspectionSelection
from app.models.enterprise import Site

DRAFT, DONE, VOID = "草稿", "已完成", "已作废"


class Inspection(Scoped):
    """One visit to one site by two inspectors with valid 执法证 (Order 49 Art. 23)."""

    __tablename__ = "inspection"
    __label__ = "检查"
    __owner__ = "site"
    __search__ = ("summary", "site.search_text", "site.licence_no")
    __named_by__ = ("site",)
    __grows__ = True
    __seal__ = Seal()
    __team__ = Team(("inspector_id", "co_inspector_id"), ended=(DONE, VOID))
    __table_args__ = list_indexes(
        "inspection",
        orders=("date", "kind", "result", "state"),
        filters=("selection", "unannounced", "inspector_id"),
    )
    __workflow__ = Workflow(
        initial=DRAFT,
        transitions=(
            Transition("complete", "完成检查", (DRAFT,), DONE, Verb.COMPLETE,
                       confirm="完成后检查记录不能再改，可以据此起草责令改正通知书。"),
            Transition("seal", "封存检查", (DRAFT,), DRAFT, Verb.SEAL, guards=(not_sealed,), kind="plain",
                       confirm="封存后只有检查人员和批准人能看到，到启封为止。"),
            Transition("open", "启封", (DRAFT,), DRAFT, Verb.OPEN, guards=(only_sealed,),
                       confirm="检查开始时启封；启封后本单位的人都能看到。"),
            Transition("void", "作废", (DRAFT,), VOID, Verb.VOID, reason=True, kind="danger"),
        ),
        tones={DRAFT: "warning", DONE: "success", VOID: "neutral"},
    )  # fmt: skip
    __handover__ = (Charge("未完成的检查", "handler_id", "inspector_id", (DRAFT,), Verb.COMPLETE),)

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    date: Mapped[date] = column("检查日期", Date, nullable=False)
    kind: Mapped[str] = column("检查类型", String(20), choices=InspectionKind, nullable=False)
    selection: Mapped[str] = column("选取方式", String(20), choices=InspectionSelection, nullable=False)
    unannounced: Mapped[bool] = column("四不两直", Boolean, nullable=False, default=False)
    place: Mapped[str] = column("现场或远程", String(10), choices=InspectionPlace, nullable=False, default="现场")
    inspector_id: Mapped[int] = column("检查人员", BigId, ForeignKey("account.id"), nullable=False)
    co_inspector_id: Mapped[int] = column("另一名检查人员", BigId, ForeignKey("account.id"), nullable=False,
                                          help="至少两名有执法证的人员。")  # fmt: skip
    handler_id: Mapped[int | None] = column(
        "现承办人", BigId, ForeignKey("account.id"), system=True, index=True, help="交接后由谁继续办理。"
    )
    result: Mapped[str | None] = column("检查结果", String(10), choices=InspectionResult)
    summary: Mapped[str] = column("检查情况", Text, nullable=False, default="", format="long")
    sealed: Mapped[bool] = column("封存", Boolean, system=True, nullable=False, default=False)
    sealed_until: Mapped[datetime | None] = column("封存至", UtcDateTime, system=True)
    approver_id: Mapped[int | None] = column("批准人", BigId, ForeignKey("account.id"), system=True)
    state: Mapped[str] = column("状态", String(10), system=True, nullable=False, default=DRAFT)

    site: Mapped[Site] = relationship()
    inspector: Mapped[Account] = relationship(foreign_keys="Inspection.inspector_id")
    co_inspector: Mapped[Account] = relationship(foreign_keys="Inspection.co_inspector_id")
    handler: Mapped[Account | None] = relationship(foreign_keys="Inspection.handler_id")
    findings: Mapped[list[Finding]] = relationship(
        back_populates="inspection", cascade="all, delete-orphan", order_by="Finding.position"
    )

    def __str__(self) -> str:
        where = f"{self.site} " if self.site is not None else ""  # one may see a visit and not the site
        return f"{where}{self.date:%Y-%m-%d} {_(self.kind)}"


class Finding(Entity):
    """One problem found: the fact, whether a key item, what is demanded."""

    __tablename__ = "finding"
    __label__ = "发现的问题"
    __part_of__ = "inspection"

    inspection_id: Mapped[int] = column("检查", BigId, ForeignKey("inspection.id"), nullable=False, index=True)
    position: Mapped[int] = column("序号", Integer, system=True, nullable=False, default=1)
    fact: Mapped[str] = column("问题（时间、地点、事实）", Text, nullable=False, format="long")
    demand: Mapped[str] = column("改正要求", Text, nullable=False, default="", format="long")
    key_item: Mapped[bool] = column("重点项", Boolean, nullable=False, default=False)

    inspection: Mapped[Inspection] = relationship(back_populates="findings")

    def __str__(self) -> str:
        return self.fact[:40]


register_assignable(Inspection)
