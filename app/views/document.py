"""Issued papers: opened by who may read what they are about; verified by anybody who holds their code."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, jsonify, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from app.core import clock
from app.core.access.fetch import PUBLIC_ID, fetch
from app.core.db import unscoped
from app.core.document import DocumentState, IssuedDocument, content_of, require_open
from app.core.fab.cells import base_of, date_text
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import public, signed_in
from app.core.history import record
from app.core.screen import Badge
from app.core.verbs import Verb

TONES = {DocumentState.VALID: "success", DocumentState.RENDERING: "info"}
VERIFIED = {"notice", "handover"}  # papers that print a code to verify
VERDICTS = {DocumentState.VALID: "genuine", DocumentState.SUPERSEDED: "superseded", DocumentState.VOID: "void"}


class DocumentView(Page):
    """Papers by their public id."""

    route_base = ""
    default_view = "show_paper"

    @expose("/documents/<key>")
    @signed_in
    def show_paper(self, key: str) -> Answer:
        """The paper in the page, or 正在生成."""
        paper = _opened(key)
        base = f"/documents/{paper.public_id}"
        subject = base_of(paper.entity)
        return render_template(
            "document.html", title=_(paper.title), number=paper.number,
            state=Badge(_(paper.state), TONES.get(DocumentState(paper.state), "warning")),
            pdf_url=f"{base}/original.pdf", download_url=f"{base}/download", sha256=paper.sha256,
            back_url=f"{subject}/{paper.row_id}" if subject else None, pending=paper.sha256 is None,
            status_url=f"{base}/status",
        )  # fmt: skip

    @expose("/documents/<key>/status")
    @signed_in
    def status(self, key: str) -> Answer:
        """Whether the bytes are stored yet, for the page that waits."""
        paper = fetch(IssuedDocument, key)
        return jsonify(pending=paper.sha256 is None, state=paper.state)

    @expose("/documents/<key>/original.pdf")
    @signed_in
    def original(self, key: str) -> Answer:
        """The stored bytes, in the browser."""
        return self._bytes(key, "inline")

    @expose("/documents/<key>/download")
    @signed_in
    def download(self, key: str) -> Answer:
        """The stored bytes, as a file."""
        return self._bytes(key, "attachment")

    def _bytes(self, key: str, how: str) -> Response:
        paper = _opened(key)
        content = content_of(paper)
        name = f"{paper.title}{paper.number}.pdf"
        answer = Response(content, mimetype="application/pdf")
        answer.headers["Content-Disposition"] = f"{how}; filename=document.pdf; filename*=UTF-8''{quote(name)}"
        office = paper.made_office_id
        record(Verb.PRINT, "打开文书", office_id=office, paper=paper.id, number=paper.number, sha256=paper.sha256)
        return answer

    @expose("/verify/<code>")
    @public
    def verify(self, code: str) -> Answer:
        """Genuine, superseded or void; nothing private. Limited per address (see `app.factory`)."""
        found = _paper_with(code)
        page = render_template("verify.html", **found)
        return page if found["ok"] != "unknown" else (page, 404)


def _opened(key: str) -> IssuedDocument:
    """A paper that the person may open. Raises NotFound, Forbidden."""
    paper = fetch(IssuedDocument, key)
    require_open(paper)
    return paper


def _paper_with(code: str) -> dict[str, Any]:
    unknown = {"ok": "unknown", "number": "", "date": "", "title": "", "issuer": ""}
    if not PUBLIC_ID.fullmatch(code):  # a code has the form of a public id; PostgreSQL refuses a NUL
        return unknown
    with unscoped("public verification", quiet=True) as session:
        paper = session.scalars(select(IssuedDocument).where(IssuedDocument.code == code)).one_or_none()
        if paper is None or paper.kind not in VERIFIED:
            return unknown
        day = clock.local(paper.issued_at).date()
        ok = VERDICTS.get(DocumentState(paper.state), "genuine")
        return {"ok": ok, "number": paper.number, "date": date_text(day), "title": _(paper.title),
                "issuer": paper.context["bureau"]}  # fmt: skip
