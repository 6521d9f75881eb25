"""比对: another system's export held against ours; each row that is not the same on both sides is a line to decide."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from flask_babel import gettext as _
from sqlalchemy import JSON, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Scoped, column, computed
from app.core.office import Account
from app.core.retain import Retain
from app.core.types import UtcDateTime
from app.core.verbs import Verb
from app.core.workflow import Guard, Transition, Workflow
from app.data.reconciling import FIELDS, Change, Extent, LineKind, LineState, Matched, Source, Stage
from app.models.enterprise import Enterprise, Site

S = LineState
KEPT_DAYS = 730  # what was decided stands in the firms' own history
COUNTS = ("total", "same", "different", "ours_only", "theirs_only", "unclear", "bad")


class Reconciliation(Scoped):
    """One file of one system, compared once. Its lines lie with the office of the firm each is about."""

    __tablename__ = "reconciliation"
    __label__ = "比对"
    __search__ = ("note",)
    __stays__ = True
    __retain__ = (Retain(KEPT_DAYS, "made_at"),)
    __tones__: ClassVar[dict[str, str]] = {Stage.OPEN: "warning", Stage.RUNNING: "info", Stage.DONE: "success"}

    source: Mapped[str] = column("对方系统", String(20), choices=Source, nullable=False)
    extent: Mapped[str] = column("文件内容", String(10), choices=Extent, nullable=False,
                                 help="“全量”会列出本系统有而文件里没有的主体；“月度变动”只看文件里的行。")  # fmt: skip
    as_of: Mapped[date] = column("数据截至", Date, nullable=False)
    note: Mapped[str | None] = column("备注", String(200))
    state: Mapped[str] = column("进度", String(10), choices=Stage, system=True, nullable=False, default=Stage.OPEN)
    total: Mapped[int] = column("文件行数", Integer, system=True, nullable=False, default=0)
    same: Mapped[int] = column("相同", Integer, system=True, nullable=False, default=0)
    different: Mapped[int] = column("字段不同", Integer, system=True, nullable=False, default=0)
    ours_only: Mapped[int] = column("仅本系统有", Integer, system=True, nullable=False, default=0)
    theirs_only: Mapped[int] = column("仅对方有", Integer, system=True, nullable=False, default=0)
    unclear: Mapped[int] = column("需人工选择", Integer, system=True, nullable=False, default=0)
    bad: Mapped[int] = column("有误未比对", Integer, system=True, nullable=False, default=0)
    sheet: Mapped[str] = column("工作表", String(100), system=True, nullable=False, default="")
    heading: Mapped[int] = column("表头行", Integer, system=True, nullable=False, default=0)
    mapping: Mapped[list[str]] = column("列对应", JSON, system=True, nullable=False, default=list)
    problems: Mapped[list[Any]] = column("有误的单元格", JSON, system=True, nullable=False, default=list)

    def __str__(self) -> str:
        return f"{_(self.source)} {_(self.extent)} {self.as_of}"


def _only(*kinds: str) -> Guard:
    def guard(line: Any) -> str | None:
        return None if line.kind in kinds else str(_("“%(kind)s”的不能这样办。", kind=_(line.kind)))

    return guard


def _differs(line: Any) -> str | None:
    if line.change == Change.ENDED:
        return str(_("对方已注销，请办注销，或保留本系统。"))
    return None if line.fields else str(_("没有不同的项。"))


def _ends(line: Any) -> str | None:
    ended = line.kind == LineKind.OURS_ONLY or (line.kind == LineKind.DIFFERENT and line.change == Change.ENDED)
    return None if ended else str(_("对方没有注销，不能这样办。"))


DIFFERENT = _only(LineKind.DIFFERENT)
MATCHED = _only(LineKind.DIFFERENT, LineKind.OURS_ONLY)


class ReconciliationLine(Scoped):
    """A row of the file and the firm or site of ours it stands for, as far as they differ.

    `theirs` and `ours` are what both said when they were compared, `seen` the versions of firm and site then: what has
    changed since is compared again before anything is taken. `position` is the file's row, or minus the firm's key.
    """

    __tablename__ = "reconciliation_line"
    __label__ = "比对结果"
    __owner__ = ("site", "enterprise")
    __search__ = ("name", "code")
    __retain__ = (Retain(KEPT_DAYS, "made_at"),)
    __table_args__ = (
        UniqueConstraint("reconciliation_id", "position"),
        Index("ix_reconciliation_line_office_id_state", "office_id", "state"),
    )
    __workflow__ = Workflow(
        initial=S.OPEN,
        transitions=(
            Transition("adopt", "采纳对方", (S.OPEN,), S.ADOPTED, Verb.UPDATE, guards=(DIFFERENT, _differs),
                       confirm="勾选的项改成对方的内容，其他的不动。"),
            Transition("create", "新增", (S.OPEN,), S.CREATED, Verb.UPDATE, guards=(_only(LineKind.THEIRS_ONLY),),
                       confirm="按对方的内容新建主体和经营场所，其余内容以后补充。"),
            Transition("end", "注销", (S.OPEN,), S.ENDED, Verb.UPDATE, guards=(_ends,), reason=True, kind="danger",
                       confirm="许可系统的注销证照；其他的注销主体和它的经营场所。"),
            Transition("choose", "选择主体", (S.OPEN,), S.OPEN, Verb.UPDATE,
                       guards=(_only(LineKind.UNCLEAR, LineKind.THEIRS_ONLY),),
                       confirm="这一行说的是本系统的哪个主体；选好后逐项比对。", kind="plain"),
            Transition("again", "重新比对", (S.OPEN,), S.OPEN, Verb.UPDATE, guards=(DIFFERENT,), kind="plain",
                       confirm="按本系统现在的内容重新比对这一行。"),
            Transition("keep", "保留本系统", (S.OPEN,), S.KEPT, Verb.UPDATE, guards=(MATCHED,), kind="plain"),
            Transition("ignore", "不处理", (S.OPEN,), S.IGNORED, Verb.UPDATE, reason=True, kind="plain"),
        ),
        tones={S.OPEN: "warning", S.ADOPTED: "success", S.KEPT: "neutral", S.CREATED: "success", S.ENDED: "neutral",
               S.IGNORED: "neutral"},
    )  # fmt: skip

    reconciliation_id: Mapped[int] = column("比对", BigId, ForeignKey("reconciliation.id"), system=True,
                                            nullable=False)  # fmt: skip
    position: Mapped[int] = column("文件行号", BigId, system=True, nullable=False)
    source: Mapped[str] = column("对方系统", String(20), choices=Source, system=True, nullable=False)
    as_of: Mapped[date] = column("数据截至", Date, system=True, nullable=False)
    kind: Mapped[str] = column("结果", String(10), choices=LineKind, system=True, nullable=False)
    change: Mapped[str | None] = column("变动", String(10), choices=Change, system=True)
    name: Mapped[str] = column("名称", String(120), system=True, nullable=False, default="")
    code: Mapped[str | None] = column("统一社会信用代码", String(60), format="code", system=True)
    matched: Mapped[str | None] = column("对上的依据", String(10), choices=Matched, system=True)
    fields: Mapped[str] = column("不同的项", String(200), system=True, nullable=False, default="")
    enterprise_id: Mapped[int | None] = column("主体", BigId, ForeignKey("enterprise.id"), system=True, index=True)
    site_id: Mapped[int | None] = column("经营场所", BigId, ForeignKey("site.id"), system=True, index=True)
    theirs: Mapped[dict[str, str]] = column("对方的内容", JSON, system=True, nullable=False, default=dict)
    ours: Mapped[dict[str, str]] = column("比对时本系统的内容", JSON, system=True, nullable=False, default=dict)
    seen: Mapped[list[int]] = column("比对时的版本", JSON, system=True, nullable=False, default=list)
    candidates: Mapped[list[int]] = column("可能的主体", JSON, system=True, nullable=False, default=list)
    state: Mapped[str] = column("状态", String(10), choices=LineState, system=True, nullable=False, default=S.OPEN)
    resolver_id: Mapped[int | None] = column("处理人", BigId, ForeignKey("account.id"), system=True)
    resolved_at: Mapped[datetime | None] = column("处理时间", UtcDateTime, system=True)
    why: Mapped[str] = column("理由", String(500), system=True, nullable=False, default="")

    reconciliation: Mapped[Reconciliation] = relationship()
    enterprise: Mapped[Enterprise | None] = relationship()
    site: Mapped[Site | None] = relationship()
    resolver: Mapped[Account | None] = relationship(foreign_keys="ReconciliationLine.resolver_id")

    def __str__(self) -> str:
        return self.name or self.code or str(_("第 %(n)s 行", n=self.position))

    @computed("不同的项")
    def difference(self) -> str:
        """The fields that differ, as people call them."""
        return str(_("、").join(_(FIELDS[name]) for name in self.fields.split(",") if name in FIELDS))

    @property
    def differing(self) -> list[str]:
        """The names of the fields that differ."""
        return self.fields.split(",") if self.fields else []
