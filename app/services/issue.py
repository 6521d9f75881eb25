"""The main job from the command line: sign when it waits for that, render, write the PDF."""

from __future__ import annotations

import os
from pathlib import Path

from flask_babel import gettext as _

from app.core.access.context import acting
from app.core.access.fetch import fetch
from app.core.db import current_session, unscoped
from app.core.document import IssuedDocument, content_of, render_document
from app.core.errors import Conflict, Invalid
from app.core.signin.names import called
from app.core.verbs import Verb
from app.core.workflow import run
from app.data.enums import NoticeState
from app.models.rectification import Notice
from app.services.rectification import paper_of


def issue_to_file(notice_id: int, out: Path, username: str | None) -> tuple[str, str]:
    """(number, SHA-256) of the paper written to `out`. A notice waiting for signing needs `username`, who signs it.

    Raises Conflict when the notice is not far enough, Invalid for an unknown account, Forbidden when it may not sign.
    """
    _require_writable(out)  # before anything is signed
    if username is not None:
        with unscoped("who signs from the command line"):
            signer = called(username)
            account_id = signer.id if signer is not None else None
        if account_id is None:
            raise Invalid(_("没有账号 %(name)s。", name=username))
        with acting(account_id):
            notice = fetch(Notice, notice_id)
            if notice.state == NoticeState.TO_SIGN:
                run(fetch(Notice, notice_id, Verb.SIGN), "sign")
    with unscoped("issue notice to a file"):
        return _write(notice_id, out)


def _require_writable(out: Path) -> None:
    try:
        with _draft_of(out).open("wb"):
            pass
        _draft_of(out).unlink()
    except OSError as error:
        raise Invalid(_("不能写入 %(path)s：%(why)s", path=str(out), why=error.strerror or "")) from error


def _draft_of(out: Path) -> Path:
    return out.with_name(f".{out.name}.{os.getpid()}")


def _write(notice_id: int, out: Path) -> tuple[str, str]:
    notice = current_session().get(Notice, notice_id)
    if notice is None:
        raise Invalid(_("没有通知书 %(key)s。", key=notice_id))
    paper = paper_of(notice)
    if paper is None:
        raise Conflict(_("通知书现在是“%(state)s”，还没有签发；要签发请用 --as 指明签发人。", state=_(notice.state)))
    if paper.sha256 is None:
        render_document(paper.id)
    current_session().rollback()  # the read transaction began before the bytes were stored
    stored = current_session().get_one(IssuedDocument, paper.id)
    content = content_of(stored)
    draft = _draft_of(out)
    draft.write_bytes(content)
    draft.replace(out)
    return stored.number, stored.sha256 or ""
