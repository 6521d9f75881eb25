"""Files by their public id, under the access of the record they belong to; and those that wait for their form."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, jsonify, request
from flask_babel import gettext as _

from app.core import attachment, filestore
from app.core.access.context import current_access
from app.core.access.fetch import fetch
from app.core.attachment import Attachment
from app.core.errors import Invalid, NotFound
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.file_box import as_json, pending_tile
from app.core.fab.gate import signed_in
from app.core.filestore import Pending
from app.core.filetype import KINDS, TEXT
from app.core.history import record
from app.core.verbs import Verb

SANDBOX = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
# a browser's PDF viewer does not open in a sandbox; it runs nothing of ours, and the policy lets it ask nobody
PDF_POLICY = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'"
)


class FileView(Page):
    """Attachments and uploads."""

    route_base = ""
    default_view = "show_file"

    @expose("/files/<key>")
    @signed_in
    def show_file(self, key: str) -> Answer:
        """The file: pictures and PDF in the browser, everything else as a download."""
        return self._stored(key, "", download=False)

    @expose("/files/<key>/<size>")
    @signed_in
    def show_copy(self, key: str, size: str) -> Answer:
        """`thumb` or `screen`: a picture's copy, drawn anew; `download`: the file itself, to keep."""
        if size not in {*filestore.COPIES, "download"}:
            raise NotFound(_("没有这个文件。"))
        return self._stored(key, "" if size == "download" else size, download=size == "download")

    def _stored(self, key: str, copy: str, *, download: bool) -> Response:
        one = fetch(Attachment, key)
        if copy and not one.is_picture:
            raise NotFound(_("没有这个文件。"))
        drawn = one.is_picture and (bool(copy) or attachment.outside_bureau())
        answer = _answer(attachment.content_of(one, copy), one.name, one.mime, drawn=drawn, download=download)
        answer.set_etag(f"{one.sha256[:32]}-{copy or ('screen' if drawn else 'original')}")
        if not copy:
            record(Verb.READ, "打开附件", office_id=one.made_office_id, file=one.id, sha256=one.sha256)
        answer.make_conditional(request)
        return answer

    @expose("/uploads/<token>", methods=["GET", "POST"])
    @signed_in
    def upload(self, token: str) -> Answer:
        """Keep files until their form is saved, or list those that wait; as JSON, for the script."""
        if request.method == "GET":
            waiting = filestore.pending(current_access().person.id, token)
            return jsonify(files=[as_json(pending_tile(token, one)) for one in waiting])
        kept, refused = [], []
        for given in request.files.getlist("files"):
            content = given.read()
            given.close()
            try:
                one = attachment.receive(token, given.filename or "", content)
                kept.append(as_json(pending_tile(token, one)))
            except Invalid as error:
                refused.append({"name": (given.filename or "")[:120], "error": str(error)})
        return jsonify(files=kept, refused=refused)

    @expose("/uploads/<token>/<name>", methods=["GET", "POST"])
    @signed_in
    def waiting(self, token: str, name: str) -> Answer:
        """One file that waits: look at it, or (POST) take it away."""
        mine = current_access().person.id
        one: Pending = filestore.one_pending(mine, token, name)
        if request.method == "POST":
            filestore.drop_pending(mine, token, [name])
            return jsonify(removed=name)
        copy = request.args.get("copy", "")
        if copy not in ("", *filestore.COPIES) or (copy and one.width is None):
            raise NotFound(_("没有这个文件。"))
        return _answer(filestore.read(one.file, copy), one.name, one.mime, drawn=bool(copy), download=False)


def _answer(content: bytes, name: str, mime: str, *, drawn: bool, download: bool) -> Response:
    """Bytes with what keeps a browser from taking them for anything else."""
    kind = KINDS[mime]
    if drawn:
        mime, name = "image/jpeg", f"{name.rpartition('.')[0]}.jpg"
    how = "inline" if kind.family in {"image", "pdf"} and not download else "attachment"
    answer = Response(content, mimetype="application/octet-stream" if kind is TEXT else mime)
    answer.headers["Content-Disposition"] = (
        f"{how}; filename=file{_ending(name)}; filename*=UTF-8''{quote(name, safe='')}"
    )
    answer.headers["Content-Security-Policy"] = PDF_POLICY if kind.family == "pdf" else SANDBOX
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _ending(name: str) -> str:
    return f".{name.rpartition('.')[2]}"
