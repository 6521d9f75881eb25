"""监管责任人: who of the station answers for a site, from a day to a day. One 主管 at a time, any number of 协管."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, and_
from sqlalchemy import column as bare_column
from sqlalchemy.orm import Mapped, relationship

from app.core import clock
from app.core.charge import Charge
from app.core.entity import BigId, Scoped, column, computed
from app.core.office import Account
from app.core.screen import Badge
from app.core.verbs import Verb
from app.data.enums import CareRole
from app.models.enterprise import Site

OPEN_PRINCIPAL = and_(bare_column("role") == CareRole.PRINCIPAL.value, bare_column("date_to").is_(None))


class Caretaker(Scoped):
    """One person's charge of one site. What has begun is ended, not rewritten: it says who answered on a past day."""

    __tablename__ = "caretaker"
    __label__ = "监管责任人"
    __owner__ = "site"
    __search__ = ("site.search_text",)
    __named_by__ = ("account",)
    __table_args__ = (
        CheckConstraint("date_to IS NULL OR date_to >= date_from", name="dates"),
        Index("uq_caretaker_principal", "site_id", unique=True, sqlite_where=OPEN_PRINCIPAL,
              postgresql_where=OPEN_PRINCIPAL),
        Index("ix_caretaker_account_id_date_to", "account_id", "date_to"),
        Index("ix_caretaker_site_id_date_from", "site_id", "date_from"),
    )  # fmt: skip
    __handover__ = (
        Charge("监管责任人", "account_id", needs=Verb.CREATE, needs_on="Inspection", ends="date_to", renews=True,
               same=("site_id", "role"), alone=True),
    )  # fmt: skip

    site_id: Mapped[int] = column("经营场所", BigId, ForeignKey("site.id"), nullable=False)
    role: Mapped[str] = column("责任", String(10), choices=CareRole, nullable=False, default=CareRole.PRINCIPAL)
    account_id: Mapped[int] = column("监管人员", BigId, ForeignKey("account.id"), nullable=False,
                                     help="在本所任职、能开展检查的人员。")  # fmt: skip
    date_from: Mapped[date] = column("自", Date, nullable=False)
    date_to: Mapped[date | None] = column("至", Date, help="最后一天；现在还在负责的不填。")

    site: Mapped[Site] = relationship()
    account: Mapped[Account] = relationship()

    def __str__(self) -> str:
        return f"{_(self.role)} {self.account.name if self.account is not None else '—'}"

    @computed("现况")
    def standing(self) -> Badge:
        """In charge now, later, or no more."""
        day = clock.today()
        if self.date_from > day:
            return Badge(_("将开始"), "info")
        over = self.date_to is not None and self.date_to < day
        return Badge(_("已结束"), "neutral") if over else Badge(_("负责中"), "success")
