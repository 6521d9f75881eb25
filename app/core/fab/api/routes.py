"""`/api/v1/<entity>/`: the same acts as the screens, in JSON, through the same fields, `save` and `run`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import abort, jsonify, request, session
from flask_appbuilder.utils.limit import Limit
from flask_babel import gettext as _
from sqlalchemy import inspect
from sqlalchemy.orm import selectinload
from werkzeug.datastructures import MultiDict

from app.core import receipt
from app.core.access.fetch import fetch, may
from app.core.batched import load_batch
from app.core.db import current_session
from app.core.deleting import remove
from app.core.errors import Conflict, Invalid, NotFound, Outdated
from app.core.fab import listing, paging, trail
from app.core.fab.api import asked, values
from app.core.fab.api.body import accepted_in, client_id_of, read_body, version_of
from app.core.fab.api.cursor import AFTER, opened, walk
from app.core.fab.api.incoming import Incoming, bind, errors_of
from app.core.fab.converter import AppForm
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.forming import BoundForm, RowsOf
from app.core.fab.gate import needs
from app.core.fab.step_view import by_whom
from app.core.fab.view import EntityView
from app.core.saving import Refused, save
from app.core.verbs import Verb
from app.core.workflow import lock, reasons_against, refusal, run
from app.core.writing import unit_of_work

CREATING = frozenset({"accept", "client_id"})
CHANGING = frozenset({"accept", "version"})
STEPPING = frozenset({"reason", "version"})


def _whose() -> str:
    """Whose requests are counted together: an account's, else an address's."""
    return str(session.get("_user_id", "")).partition(".")[0] or str(request.remote_addr)


@dataclass
class Writing:
    """One request that adds (no key) or changes a row, and how far it got."""

    body: dict[str, Any]
    key: str | None
    whole: bool
    bound: BoundForm | None = None
    version: int | None = None

    @property
    def verb(self) -> Verb:
        """What it does to the row."""
        return Verb.CREATE if self.key is None else Verb.UPDATE

    @property
    def meta(self) -> frozenset[str]:
        """What the body may say beside the fields."""
        return CREATING if self.key is None else CHANGING


class EntityApi(Page):
    """The API of one entity; `view` is its declaration."""

    view: ClassVar[EntityView]
    limits = [Limit("600 per minute", key_func=_whose)]
    default_view = "list_rows"

    def __init__(self) -> None:
        self.model, self.entity_name = self.view.model, self.view.entity_name
        super().__init__()

    # ---- reading ----

    @expose("/")
    @needs(Verb.READ)
    def list_rows(self) -> Answer:
        """A page of rows: the list's own search, filters, order, page and size."""
        names = self.names()
        try:
            query, _columns, filters, order = self.view.list_query(self._arguments(), request.path)
            asked.require_known(query, filters, order)
            found = walk(query, filters, names, self._after(query))
        except asked.BadArguments as error:
            return problem(error)
        load_batch(found.rows, names)
        return jsonify(
            items=values.as_json(found.rows, names), page=query.page, size=query.size,
            count=min(found.total, paging.COUNT_CAP), more_than_counted=found.total > paging.COUNT_CAP,
            next=found.next_url,
        )  # fmt: skip

    @staticmethod
    def _after(query: listing.ListQuery) -> list[Any] | None:
        """The values of the row behind which the page begins; None without a cursor."""
        try:
            return opened(query, request.args[AFTER]) if request.args.get(AFTER) else None
        except ValueError as error:
            raise asked.BadArguments(_("请求的参数不对。"), {AFTER: _("不是这个列表、这个排序的 next。")}) from error

    def _arguments(self) -> MultiDict[str, str]:
        """The list's arguments, with public ids of related rows turned into keys."""
        found = request.args.copy()
        relations = inspect(self.model).relationships
        for name in set(self.view.list_filters) & set(relations.keys()) & set(found):
            keys = [values.key_of(relations[name].mapper.class_, one) for one in found.getlist(name) if one]
            if None in keys:
                raise asked.BadArguments(_("请求的参数不对。"), {name: _("没有这条记录，或者您无权查看。")})
            found.setlist(name, [str(key) for key in keys])
        return found

    def names(self) -> list[str]:
        """What of a row is shown: everything the screens show, less what is hidden from this person."""
        shown = [name for _label, names in self.view.show_parts for name in names]
        formed = [name for part in self.view.form_parts for name in part.columns]
        state = [self.model.__workflow__.column] if self.model.__workflow__ else []
        return values.shown_names(self.model, [*self.view.list_columns, *shown, *formed, *state])

    def child_rows(self) -> list[RowsOf]:
        """The rows that are edited with the record."""
        return [one for part in self.view.form_parts for one in part.rows]

    @expose("/<key>")
    @needs(Verb.READ)
    def show_row(self, key: str) -> Answer:
        """One row, with its child rows and the steps that this person can take now."""
        return jsonify(self._told(key))

    def _told(self, key: str) -> dict[str, Any]:
        names = self.names()
        inside = tuple(selectinload(getattr(self.model, rows.relation)) for rows in self.child_rows())
        row = fetch(self.model, key, options=(*listing.loading(self.model, names), *inside))
        found = values.as_json([row], names)[0]
        for rows in self.child_rows():
            model = inspect(self.model).relationships[rows.relation].mapper.class_
            children = getattr(row, rows.relation)
            found[rows.relation] = values.as_json(children, values.shown_names(model, rows.columns))
        if row.__workflow__ is not None:
            leaving = row.__workflow__.leaving(getattr(row, row.__workflow__.column))
            found["steps"] = [one.name for one in leaving if may(row, one.verb) and not reasons_against(row, one)]
        return found

    # ---- writing ----

    @expose("/", methods=["POST"])
    @needs(Verb.CREATE)
    def add_row(self) -> Answer:
        """A new row; what is not given has its default."""
        try:
            return self._write(None, whole=True)
        except receipt.Raced:
            return self._write(None, whole=True)

    @expose("/<key>", methods=["PUT"])
    @needs(Verb.UPDATE)
    def replace_row(self, key: str) -> Answer:
        """All fields of a row; what is not given becomes blank."""
        return self._write(key, whole=True)

    @expose("/<key>", methods=["PATCH"])
    @needs(Verb.UPDATE)
    def change_row(self, key: str) -> Answer:
        """Some fields of a row."""
        return self._write(key, whole=False)

    @expose("/<key>", methods=["DELETE"])
    @needs(Verb.DELETE)
    def delete_row(self, key: str) -> Answer:
        """Delete a row that nothing refers to."""
        try:
            with unit_of_work(Verb.DELETE):
                remove(lock(fetch(self.model, key, Verb.DELETE)))
        except Conflict as error:
            return problem(error)
        return "", 204

    def _write(self, key: str | None, *, whole: bool) -> Answer:
        if not self.view.form_parts:
            abort(404)
        act = Writing(read_body(), key, whole)
        try:
            with unit_of_work(act.verb):
                saved = self._save(act)
        except (Invalid, Conflict) as error:
            twin = self._twin(act)
            if twin is None:
                return self._refused(error, act)
            saved = twin
        answer = jsonify(self._told(saved))
        if key is None:
            answer.status_code = 201
            answer.headers["Location"] = f"{self.route_base}/{saved}"
        return answer

    def _twin(self, act: Writing) -> str | None:
        """What the same body made while this one was being judged, and refused for that: its code is taken by then."""
        if act.key is not None:
            return None
        try:
            client_id = client_id_of(act.body)
            return receipt.first_answer(client_id, self._digest(act)) if client_id else None
        except (Invalid, Conflict):
            return None

    def _digest(self, act: Writing) -> str:
        return receipt.digest_of(self.entity_name, act.body)

    def _save(self, act: Writing) -> str:
        """Check and write inside the unit of work in force. Returns the row's public id."""
        form, parts, key, body = self.view.edit_form, self.view.form_parts, act.key, act.body
        row: Any = self.model() if key is None else lock(fetch(self.model, key, act.verb))
        accepted = accepted_in(body)
        client_id, digest = client_id_of(body) if key is None else "", self._digest(act)
        if client_id and (made := receipt.first_answer(client_id, digest)):
            return made
        act.version = version_of(body, needed=True) if key is not None else None
        stored = row if key is not None else None
        incoming = Incoming(form, parts, self.model, body, stored, meta=act.meta, whole=act.whole)
        act.bound = bind(incoming, form, parts, row, act.verb)
        _require_unchanged(row, act.version)
        with current_session().no_autoflush:
            act.bound.populate(row)
        save(row, act.verb, accepted=accepted)
        if client_id:
            receipt.keep(client_id, digest, row)
        return str(row.public_id)

    def _refused(self, error: Invalid | Conflict, act: Writing) -> Answer:
        if isinstance(error, Conflict) and act.key is not None and act.bound is not None:
            row = fetch(self.model, act.key)
            if row.version != act.version:
                return problem(error, conflict=_both(row, act.bound))
        if act.bound is not None and isinstance(error, Invalid):
            error.fields = errors_of(act.bound, error.fields)
        return problem(error)

    @expose("/<key>/do/<name>", methods=["POST"])
    @needs(Verb.READ)
    def take_step(self, key: str, name: str) -> Answer:
        """Take one step of the workflow, with what it asks."""
        row = fetch(self.model, key)
        steps = row.__workflow__.transitions if row.__workflow__ else ()
        step = next((one for one in steps if one.name == name), None)
        if step is None:
            raise NotFound(_("没有这一步操作。"))
        if not may(row, step.verb):
            raise by_whom(row, refusal(row, step))
        body = read_body()
        reason = body.get("reason", "")
        if not isinstance(reason, str):
            return problem(Invalid(_("应为文字。"), {"reason": _("应为文字。")}))
        form, columns = self.view.asks.get(name, (AppForm, []))
        version: int | None = None
        try:
            with unit_of_work(step.verb, reason.strip()):
                incoming = Incoming(form, [], self.model, body, meta=STEPPING, step=True)
                bound = bind(incoming, form, [], None, step.verb)
                version = version_of(body, needed=False)
                asked = {field: one.data for field, one in bound.form._fields.items() if field in columns}
                run(row, name, reason=reason, seen=version, **asked)
        except (Invalid, Conflict) as error:
            now = fetch(self.model, key)
            stale = isinstance(error, Conflict) and version not in {None, now.version}
            return problem(error, conflict=_since(now)) if stale else problem(error)
        return jsonify(self._told(key))


def _both(row: Any, bound: BoundForm) -> dict[str, Any]:
    """Both versions of a row that somebody else saved meanwhile, field by field where they differ."""
    differing: dict[str, Any] = {
        name: {"yours": values.plain(one.data), "theirs": values.value_of(row, name)}
        for name, one in bound.form._fields.items()
        if (one.data or None) != (getattr(row, name) or None)
    }
    for relation, rows in bound.children.items():
        yours = [_row_as_json(one.form) for one in rows]
        theirs = [_row_as_json(one.form) for one in bound.stored_rows(relation, row)]
        if yours != theirs:
            differing[relation] = {"yours": yours, "theirs": theirs}
    return {"version": row.version, "fields": differing} | trail.last_writer(row)


def _row_as_json(form: Any) -> dict[str, Any]:
    return {name: values.plain(one.data) for name, one in form._fields.items()}


def _since(row: Any) -> dict[str, Any]:
    """For a step decided upon an older version: what is there now, and who wrote it when."""
    return {"version": row.version, "fields": {}} | trail.last_writer(row)


def _require_unchanged(row: Any, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Outdated(_("您读到之后，这条记录已被别人改过。请对照后再保存。"))


def problem(error: Invalid | Conflict, **more: Any) -> Answer:
    """A refusal in the one shape: error, fields, doubts."""
    fields = {name: str(text) for name, text in (error.fields if isinstance(error, Invalid) else {}).items()}
    doubts = error.doubts if isinstance(error, Refused) else []
    told = [{"name": one.name, "field": one.field, "text": one.text} for one in doubts]
    answer = jsonify(error=str(error) or _("有内容需要改正，尚未保存。"), fields=fields, doubts=told, **more)
    answer.status_code = error.status
    return answer
