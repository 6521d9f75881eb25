"""Must a site have a 食品安全总监? Dated rules with their source, yardsticks of 大中型, what was decided and why.

企业落实食品安全主体责任监督管理规定 (2022 text article 5, amended text article 6) and 集中用餐单位落实食品安全主体责任
监督管理规定 say who; none says what 大中型 is, so the yardsticks are the bureau's to confirm.
"""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Entity, Scope, Scoped, column, computed
from app.core.screen import Badge
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import DecisionCause, DirectorCondition, DirectorEdition, OverrideState, SiteKind, Trade
from app.models.enterprise import Site


class DirectorRule(Entity):
    """One class of sites that must have a 食品安全总监, from a day to a day."""

    __tablename__ = "director_rule"
    __scope__ = Scope.REFERENCE
    __label__ = "总监配备规则"
    __search__ = ("name", "basis")
    __table_args__ = (CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),)

    key: Mapped[str | None] = column("键", String(40), system=True, unique=True)
    edition: Mapped[str] = column("出处", String(20), choices=DirectorEdition, nullable=False)
    name: Mapped[str] = column("应当配备的单位", String(120), nullable=False)
    condition: Mapped[str] = column("条件", String(10), choices=DirectorCondition, nullable=False)
    at_least: Mapped[int | None] = column("每餐次人数", Integer, help="条件为“用餐人数”时填写。")
    more_than: Mapped[bool] = column("须超过", Boolean, nullable=False, default=False,
                                     help="“超过”不含本数，“以上”含本数。")  # fmt: skip
    both: Mapped[bool] = column("承包经营企业也应配备", Boolean, nullable=False, default=False)
    basis: Mapped[str] = column("依据", String(200), nullable=False, default="")
    note: Mapped[str] = column("说明", String(200), nullable=False, default="", format="long")
    valid_from: Mapped[date] = column("施行日期", Date, nullable=False)
    valid_to: Mapped[date | None] = column("失效日期", Date, help="这一天仍然有效。")
    confirmed: Mapped[bool] = column("已由本局核对原文", Boolean, nullable=False, default=False)

    kinds: Mapped[list[DirectorRuleKind]] = relationship(
        back_populates="rule", cascade="all, delete-orphan", order_by="DirectorRuleKind.id"
    )

    def __str__(self) -> str:
        return f"{self.name}（{_(self.edition)}）"


class DirectorRuleKind(Entity):
    """A kind of site that a rule is about."""

    __tablename__ = "director_rule_kind"
    __label__ = "主体类型"
    __part_of__ = "rule"
    __table_args__ = (Index("uq_director_rule_kind", "rule_id", "kind", unique=True),)

    rule_id: Mapped[int] = column("规则", BigId, ForeignKey("director_rule.id"), nullable=False, index=True)
    kind: Mapped[str] = column("主体类型", String(30), choices=SiteKind, nullable=False)

    rule: Mapped[DirectorRule] = relationship(back_populates="kinds")

    def __str__(self) -> str:
        return str(_(self.kind))


class SizeYardstick(Entity):
    """From which figures on a firm of a trade counts as 大中型."""

    __tablename__ = "size_yardstick"
    __scope__ = Scope.REFERENCE
    __label__ = "大中型标准"
    __search__ = ("basis",)
    __table_args__ = (CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),)

    key: Mapped[str | None] = column("键", String(40), system=True, unique=True)
    trade: Mapped[str] = column("规模行业", String(10), choices=Trade, nullable=False)
    staff: Mapped[int | None] = column("从业人数不少于", Integer)
    revenue: Mapped[int | None] = column("年营业收入不少于（万元）", Integer)
    floor_area: Mapped[int | None] = column("经营面积不少于（㎡）", Integer)
    seats: Mapped[int | None] = column("座位数不少于", Integer)
    every: Mapped[bool] = column("须同时达到", Boolean, nullable=False, default=True, help="不选则达到一项即可。")
    used: Mapped[bool] = column("采用", Boolean, nullable=False, default=True)
    basis: Mapped[str] = column("依据", String(200), nullable=False, default="")
    valid_from: Mapped[date] = column("起用日期", Date, nullable=False)
    valid_to: Mapped[date | None] = column("停用日期", Date, help="这一天仍然有效。")
    confirmed: Mapped[bool] = column("已由本局确认", Boolean, nullable=False, default=False)

    def __str__(self) -> str:
        return f"{_(self.trade)} {_('大中型标准')}"


NOW = bare_column("date_to").is_(None)


class DirectorDecision(Scoped):
    """Whether a site must have a 食品安全总监, from a day to a day, with the rule and the figures that decided."""

    __tablename__ = "director_decision"
    __label__ = "总监配备判定"
    __owner__ = "site"
    __search__ = ("site.search_text",)
    __table_args__ = (
        Index("uq_director_decision_now", "site_id", unique=True, sqlite_where=NOW, postgresql_where=NOW),
        Index("ix_director_decision_office_id_date_from", "office_id", "date_from"),
    )

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, system=True, index=True)
    must: Mapped[bool] = column("应配食品安全总监", Boolean, system=True, nullable=False)
    rule_id: Mapped[int | None] = column("规则", BigId, ForeignKey("director_rule.id"), system=True, index=True)
    words: Mapped[str] = column("数字", String(200), system=True, nullable=False, default="")
    missing: Mapped[str] = column("缺少的数字", String(120), system=True, nullable=False, default="")
    cause: Mapped[str] = column("原因", String(10), choices=DecisionCause, system=True, nullable=False)
    date_from: Mapped[date] = column("自", Date, system=True, nullable=False)
    date_to: Mapped[date | None] = column("至", Date, system=True)

    site: Mapped[Site] = relationship()
    rule: Mapped[DirectorRule | None] = relationship()

    def __str__(self) -> str:
        return f"{_('应配总监') if self.must else _('不要求配总监')} {self.date_from:%Y-%m-%d}"

    @computed("判定")
    def verdict(self) -> Badge:
        """应配, 不要求, or 待补数据 as a coloured word."""
        if self.must:
            return Badge(_("应配"), "info")
        return Badge(_("待补数据"), "warning") if self.missing else Badge(_("不要求"), "neutral")


class DirectorOverride(Scoped):
    """人工认定: a person says otherwise than the rules do, with a reason; it shows until it is revoked or ends."""

    __tablename__ = "director_override"
    __label__ = "总监配备人工认定"
    __owner__ = "site"
    __search__ = ("reason", "site.search_text")
    __table_args__ = (
        CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),
        Index("ix_director_override_office_id_state", "office_id", "state"),
    )
    __workflow__ = Workflow(
        initial=OverrideState.IN_FORCE,
        transitions=(
            Transition("revoke", "撤销认定", (OverrideState.IN_FORCE,), OverrideState.REVOKED, Verb.REVOKE, reason=True,
                       kind="danger"),
        ),
        tones={OverrideState.IN_FORCE: "success", OverrideState.REVOKED: "neutral"},
    )  # fmt: skip

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    must: Mapped[bool] = column("应配食品安全总监", Boolean, nullable=False, default=True)
    reason: Mapped[str] = column("理由", String(200), nullable=False, format="long")
    document: Mapped[str] = column("依据的文件", String(120), nullable=False, default="")
    date_from: Mapped[date] = column("自", Date, nullable=False)
    date_to: Mapped[date | None] = column("至", Date, help="长期有效的不填。")
    state: Mapped[str] = column("状态", String(10), choices=OverrideState, system=True, nullable=False,
                                default=OverrideState.IN_FORCE)  # fmt: skip

    site: Mapped[Site] = relationship()

    def __str__(self) -> str:
        return f"{self.site.name} {_('应配总监') if self.must else _('不要求配总监')}"
