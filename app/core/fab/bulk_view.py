"""Acts on many rows of a list: asked once, done to each row for itself, answered row by row."""

from __future__ import annotations

import re
import secrets
from typing import Any

from flask import redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select

from app.core.db import current_session
from app.core.errors import Invalid, NotFound
from app.core.fab import bulk, denied, forming
from app.core.fab.cells import cell, said, url_of
from app.core.fab.declaration import Answer, expose
from app.core.fab.gate import needs
from app.core.fab.list_view import ListScreens
from app.core.fab.listing import build_query, parse_arguments
from app.core.fab.naming import named_by
from app.core.saved import BulkRun
from app.core.screen import BulkResult, FormError
from app.core.verbs import Verb

FOUND = "found"  # says on the second page that the rows were those of a filter
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,40}")


class BulkScreens(ListScreens):
    """`/bulk` and `/bulk/<run>`."""

    @expose("/bulk", methods=["POST"])
    @needs(Verb.READ)
    def bulk_page(self) -> Answer:
        """First what is going to happen to which rows, with one reason for all; with `sure`, it happens."""
        act = next((one for one in self.acts() if one.name == request.form.get("act", "")), None)
        if act is None:
            raise Invalid(_("请选择要办理的操作。"))
        keys = self._chosen(act.most)
        form = self._asking(act)
        reason, token = request.form.get("reason", "").strip(), request.form.get("key", "")
        if request.form.get("sure") != "1":
            return self._sure_page(act, keys, [], form)
        if not TOKEN.fullmatch(token):
            raise Invalid(_("这一页不完整，请回到列表重新选择。"))
        why, fine = _reason_problem(act, reason), form is None or form.validate()
        if why or not fine:
            return self._sure_page(act, keys, [why] if why else [], form), 422
        asked, seen = bulk.plainly(act, form), bulk.versions_in(request.form.getlist("seen"))
        if act.together is not None:
            return self._together(act, keys, asked)
        bulk.perform_once(self.model, act, keys, reason, token, seen, asked=asked)
        return redirect(f"{self.route_base}/bulk/{token}")

    def _together(self, act: bulk.BulkAct, keys: list[int], asked: dict[str, Any]) -> Answer:
        """The answer of an act upon all rows at once. Raises Invalid when it can be done to none."""
        rows = self._rows(keys)
        why = bulk.hindrances(self.model, act, rows)
        able = [key for key in keys if key in rows and key not in why]
        if not able or act.together is None:
            raise Invalid(_("选中的里面没有可以办理的。"))
        answer: Answer = act.together(able, **asked)
        return answer

    def _chosen(self, most: int) -> list[int]:
        """The ticked rows, those of the page, or those that the list's filter finds; `most` of them at once."""
        whole = request.form.getlist("whole")
        if "2" in whole:
            query, _names, filters, _order = self.list_query(parse_arguments(request.form.get("arguments", "")))
            if any(query.strays.values()):
                raise Invalid(_("没有选中任何一条。"))
            found = build_query(query, filters).with_only_columns(self.model.id).limit(most + 1)
            keys = [str(key) for key in current_session().scalars(found)]
            if len(keys) > most:
                raise Invalid(_("列表里的超过 %(n)s 条，一次最多办理这么多，请用筛选缩小范围。", n=most))
            return bulk.keys_of(keys, most)
        most = most if FOUND in whole else min(most, bulk.MOST_ROWS)
        return bulk.keys_of(request.form.getlist("page" if "1" in whole else "ids"), most)

    def _asking(self, act: bulk.BulkAct) -> Any:
        """The form of what the act asks; None where it asks nothing."""
        if act.asks is None:
            return None
        return act.asks[0](formdata=request.form if request.form.get("sure") == "1" else None, data={})

    def _sure_page(self, act: bulk.BulkAct, keys: list[int], errors: list[str], form: Any = None) -> str:
        rows = self._rows(keys)
        why = bulk.hindrances(self.model, act, rows)
        for key in (key for key in keys if key not in rows):
            denied.note(self.entity_name, key)
        flow = self.model.__workflow__
        reason = forming.reason_field(request.form.get("reason", ""), act.kind == "danger") if act.reason else None
        if reason is not None:
            reason.errors = errors
        screen = {
            "title": _("%(what)s：选中 %(n)s 条", what=said(act.label), n=len(keys)), "text": said(act.confirm),
            "crumbs": [(self.title, f"{self.route_base}/")], "action": f"{self.route_base}/bulk",
            "cancel_url": f"{self.route_base}/", "act": act.name, "keys": keys, "kind": act.kind,
            "submit_label": _("%(what)s %(n)s 条", what=said(act.label), n=len(rows) - len(why)), "reason": reason,
            "seen": [f"{key}.{rows[key].version}" for key in keys if key in rows],
            "whole": FOUND if len(keys) > bulk.MOST_ROWS else "",
            "key": secrets.token_urlsafe(24), "missing": sum(key not in rows for key in keys),
            "rows": [(str(rows[key]), cell(rows[key], flow.column) if flow else None, why.get(key, ""))
                     for key in keys if key in rows],
            "hindered": len(why), "able": len(rows) - len(why),
            "fields": [forming.screen_field(form._fields[name]) for name in act.asks[1]] if act.asks else [],
            "errors": [*(FormError("reason" if act.reason else "", _("理由"), text) for text in errors),
                       *_field_errors(form)],
        }  # fmt: skip
        return render_template("entity/bulk.html", screen=screen)

    def _rows(self, keys: list[int]) -> dict[int, Any]:
        """The rows of these keys that the person may see."""
        wanted = select(self.model).where(self.model.id.in_(keys)).options(*named_by(self.model))
        return {row.id: row for row in current_session().scalars(wanted).unique()}

    @expose("/bulk/<run>")
    @needs(Verb.READ)
    def bulk_result(self, run: str) -> Answer:
        """Which rows went, and which did not and why. Names are those the person may see now."""
        receipt = bulk.receipt_of(self.model, run) if TOKEN.fullmatch(run) else None
        if receipt is None:
            raise NotFound(_("没有这条记录，或者您无权查看。"))
        act = next((said(one.label) for one in self.acts() if one.name == receipt.act), receipt.act)
        results = self._results(receipt)
        screen = {
            "title": _("%(what)s的结果", what=act), "crumbs": [(self.title, f"{self.route_base}/")],
            "done": receipt.outcomes is not None, "went": sum(one.went for one in results), "results": results,
            "back_url": f"{self.route_base}/",
        }  # fmt: skip
        return render_template("entity/bulk_result.html", screen=screen)

    def _results(self, receipt: BulkRun) -> list[BulkResult]:
        outcomes = receipt.outcomes or []
        rows = self._rows([one[0] for one in outcomes])
        return [self._result(rows.get(key), key, went=went, why=why, gone=gone) for key, went, why, gone in outcomes]

    def _result(self, row: Any, key: int, *, went: bool, why: str, gone: str) -> BulkResult:
        title = str(row) if row is not None else gone or _("编号 %(n)s", n=key)
        return BulkResult(title, url_of(row) if row is not None else None, went, why)


def _field_errors(form: Any) -> list[FormError]:
    """What is wrong with what the act asks, each linked to its field."""
    fields = form._fields.items() if form is not None else ()
    return [FormError(name, str(one.label.text), str(text)) for name, one in fields for text in one.errors]


def _reason_problem(act: bulk.BulkAct, reason: str) -> str:
    if act.reason and not reason:
        return str(_("请写明理由。"))
    return str(_("最多 %(n)s 个字，现在 %(m)s 个。", n=500, m=len(reason))) if len(reason) > 500 else ""
