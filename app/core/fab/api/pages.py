"""`/api/v1/`: what there is to ask for, as a page for people and as an OpenAPI document for programs."""

from __future__ import annotations

from flask import current_app, jsonify, render_template
from flask_wtf.csrf import generate_csrf

from app.core.fab.api.describe import document, operations
from app.core.fab.api.routes import EntityApi
from app.core.fab.declaration import Answer, Page, expose
from app.core.fab.gate import API, signed_in

VERSION = "1"


def _apis() -> list[EntityApi]:
    """The running application's APIs, in the order of their screens."""
    found: list[EntityApi] = current_app.extensions["shouze_apis"]
    return found


class ApiPages(Page):
    """The API's own pages."""

    route_base = API
    default_view = "overview"

    @expose("/")
    @signed_in
    def overview(self) -> Answer:
        """Every address this person may use, readable without a script."""
        groups: dict[str, dict[str, object]] = {}
        for one in operations(_apis()):
            lines = groups.setdefault(one.api.entity_name, {"label": one.api.view.title, "lines": []})["lines"]
            assert isinstance(lines, list)
            lines.append({"method": one.method.upper(), "path": one.path, "text": one.text})
        return render_template("api.html", groups=list(groups.values()), document_url=f"{API}/openapi.json")

    @expose("/openapi.json")
    @signed_in
    def openapi(self) -> Answer:
        """The OpenAPI document."""
        return jsonify(document(_apis(), VERSION))

    @expose("/token")
    @signed_in
    def token(self) -> Answer:
        """What a writing request carries in its header X-CSRFToken."""
        return jsonify(csrf_token=generate_csrf())
