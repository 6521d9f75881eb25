"""Licences and closures of firms and sites: what allows the business, and when it stands still."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, relationship

from app.core import clock
from app.core.access.persons import other_person
from app.core.entity import BigId, Scoped, column, computed
from app.core.screen import Badge
from app.core.verbs import Verb
from app.core.workflow import Transition, Workflow
from app.data.enums import ClosureKind, ClosureState, LicenceKind, LicenceState
from app.models.enterprise import Enterprise, Site

SOON, NEAR = 90, 30  # days before a licence runs out


class Licence(Scoped):
    """One 许可证, 备案 or 登记; a firm or a site may hold several, and old ones stay readable."""

    __tablename__ = "licence"
    __label__ = "证照"
    __owner__ = ("site", "enterprise")
    __firm_wide__ = True
    __with_firm__ = True
    __search__ = ("number", "search_text")
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR issued IS NULL OR valid_to >= issued", name="dates"),
        Index("ix_licence_office_id_valid_to", "office_id", "valid_to"),
        Index("ix_licence_number", "number"),
    )
    __workflow__ = Workflow(
        initial=LicenceState.VALID,
        transitions=(
            Transition("replace", "换发", (LicenceState.VALID,), LicenceState.REPLACED, Verb.END, kind="plain",
                       confirm="换发后另建新证；旧证保留可查。"),
            Transition("cancel", "注销", (LicenceState.VALID,), LicenceState.CANCELLED, Verb.END, reason=True,
                       kind="danger"),
            Transition("revoke", "吊销", (LicenceState.VALID,), LicenceState.REVOKED, Verb.REVOKE, reason=True,
                       kind="danger"),
        ),
        tones={LicenceState.VALID: "success", LicenceState.REPLACED: "neutral", LicenceState.CANCELLED: "neutral",
               LicenceState.REVOKED: "danger"},
    )  # fmt: skip

    enterprise_id: Mapped[int | None] = column("主体", BigId, ForeignKey("enterprise.id"), index=True)
    site_id: Mapped[int | None] = column("经营场所", BigId, ForeignKey("site.id"), index=True,
                                         help="证照只管一个场所时选择；选了场所就不用再选主体。")  # fmt: skip
    kind: Mapped[str] = column("证照类型", String(30), choices=LicenceKind, nullable=False)
    number: Mapped[str] = column("证照编号", String(40), nullable=False, format="code")
    issuer: Mapped[str] = column("发证机关", String(80), nullable=False, default="")
    issued: Mapped[date | None] = column("发证日期", Date)
    valid_to: Mapped[date | None] = column("有效期至", Date, help="长期有效的不填。")
    scope: Mapped[str] = column("许可项目", String(300), nullable=False, default="", format="long")
    state: Mapped[str] = column("状态", String(10), choices=LicenceState, system=True, nullable=False,
                                default=LicenceState.VALID)  # fmt: skip
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("site.search_text", "enterprise.search_text"))  # fmt: skip

    enterprise: Mapped[Enterprise | None] = relationship()
    site: Mapped[Site | None] = relationship()

    def __str__(self) -> str:
        return f"{_(self.kind)} {self.number}"

    @computed("到期提醒")
    def expiry(self) -> Badge | None:
        """已过期, or how soon, as a coloured word; nothing for one that is far off or no longer in use."""
        if self.state != LicenceState.VALID or self.valid_to is None:
            return None
        left = (self.valid_to - clock.today()).days
        if left < 0:
            return Badge(_("已过期"), "danger")
        if left <= NEAR:
            return Badge(_("今天到期") if left == 0 else _("%(n)s 天后到期", n=left), "danger")
        return Badge(_("%(n)s 天后到期", n=left), "warning") if left <= SOON else None


class Closure(Scoped):
    """停业 of a site from a day to a day: declared by the firm or the station, confirmed by the station."""

    __tablename__ = "closure"
    __label__ = "停业申报"
    __owner__ = "site"
    __search__ = ("reason", "search_text")
    __table_args__ = (
        CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),
        Index("ix_closure_site_id_date_from", "site_id", "date_from"),
        Index("ix_closure_office_id_state", "office_id", "state"),
    )
    __workflow__ = Workflow(
        initial=ClosureState.DECLARED,
        transitions=(
            Transition("confirm", "确认", (ClosureState.DECLARED,), ClosureState.CONFIRMED, Verb.CONFIRM,
                       guards=(other_person("made_by_id", "申报和确认"),),
                       confirm="确认后，停业期间不要求日检查记录。"),
            Transition("return", "退回", (ClosureState.DECLARED,), ClosureState.RETURNED, Verb.RETURN, reason=True,
                       kind="plain"),
            Transition("reopen", "恢复营业", (ClosureState.CONFIRMED,), ClosureState.CONFIRMED, Verb.END, kind="plain"),
            Transition("revoke", "撤销", (ClosureState.CONFIRMED,), ClosureState.REVOKED, Verb.REVOKE, reason=True,
                       kind="danger"),
        ),
        tones={ClosureState.DECLARED: "warning", ClosureState.CONFIRMED: "success", ClosureState.RETURNED: "neutral",
               ClosureState.REVOKED: "neutral"},
    )  # fmt: skip

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False, index=True)
    kind: Mapped[str] = column("停业类型", String(20), choices=ClosureKind, nullable=False)
    date_from: Mapped[date] = column("停业起", Date, nullable=False)
    date_to: Mapped[date | None] = column("停业止", Date, help="最后一个停业日；还不知道的不填。")
    reason: Mapped[str] = column("原因", String(200), nullable=False)
    state: Mapped[str] = column("状态", String(10), choices=ClosureState, system=True, nullable=False,
                                default=ClosureState.DECLARED)  # fmt: skip
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("site.search_text",))  # fmt: skip

    site: Mapped[Site] = relationship()

    def __str__(self) -> str:
        return f"{self.site} {_(self.kind)} {self.date_from:%Y-%m-%d}"

    @computed("申报")
    def declared(self) -> Badge | None:
        """事后申报 when it was declared after it had begun: it does not heal days already missed by itself."""
        if self.made_at is None or clock.local(self.made_at).date() <= self.date_from:
            return None
        return Badge(_("事后申报"), "warning")
