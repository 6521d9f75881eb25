"""制度档案: the six papers that a firm must have about food safety, whether they are there and signed."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, relationship

from app.core.entity import BigId, Scoped, column
from app.data.people import PolicyKind, PolicyState
from app.models.enterprise import Enterprise

TONES: dict[str, str] = {PolicyState.NONE: "danger", PolicyState.WRITTEN: "warning", PolicyState.SIGNED: "success"}


class PolicyDocument(Scoped):
    """One paper of one firm; a firm without a row for a paper does not have it."""

    __tablename__ = "policy_document"
    __label__ = "制度档案"
    __owner__ = "enterprise"
    __firm_wide__ = True
    __search__ = ("search_text",)
    __tones__ = TONES
    __table_args__ = (
        Index("ix_policy_document_enterprise_id_kind", "enterprise_id", "kind"),
        Index("ix_policy_document_office_id_state", "office_id", "state"),
    )

    enterprise_id: Mapped[int] = column("主体", BigId, ForeignKey("enterprise.id"), nullable=False, index=True)
    kind: Mapped[str] = column("文件", String(20), choices=PolicyKind, nullable=False)
    state: Mapped[str] = column("状态", String(10), choices=PolicyState, nullable=False)
    made_on: Mapped[date | None] = column("制定或签字日期", Date, help="没有的不填。")
    note: Mapped[str] = column("说明", String(200), nullable=False, default="")
    search_text: Mapped[str] = column("检索词", String(1000), derived=True, nullable=False, default="",
                                      of=("enterprise.name",))  # fmt: skip

    enterprise: Mapped[Enterprise] = relationship()

    def __str__(self) -> str:
        return str(_(self.kind))
