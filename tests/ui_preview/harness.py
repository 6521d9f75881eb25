"""A Flask application that serves every template with a sample context, under the CSP of the real one.

python -m tests.ui_preview.harness [port]
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, redirect, render_template, request
from jinja2 import StrictUndefined

from app.core.fab.shell import kept_macros
from tests.ui_preview.samples import FIRMS, PAGES, shell

APP = Path(__file__).resolve().parents[2] / "app"
CSP = (
    "default-src 'self'; script-src 'self' 'nonce-preview'; style-src 'self'; object-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
)


def create() -> Flask:
    app = Flask(__name__, template_folder=str(APP / "templates"), static_folder=str(APP / "static"))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    macros: dict[str, Any] = {**kept_macros(app, "/static/{}".format)}
    app.jinja_env.globals.update({name: one.__wrapped__ for name, one in macros.items()})  # samples are lists

    @app.context_processor
    def shared() -> dict[str, Any]:
        return {
            **shell(),
            "asset": lambda name: f"/static/{name}",
            "csp_nonce": lambda: "preview",
            "csrf_token": lambda: "token",
        }

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CSP
        return response

    @app.get("/lookup")
    def lookup() -> Any:
        q = request.args["q"]
        if q == "err":
            return "no", 500
        if q == "slow":
            time.sleep(1.5)
        hits = [
            {"id": str(i), "text": f[0], "sub": f"{f[1]} · {f[3]}"}
            for i, f in enumerate(FIRMS)
            if q in f[0] or q == "slow"
        ]
        return {"results": hits, "more": len(hits) > 2}

    @app.get("/pending")
    def pending() -> Any:
        return {"pending": True}

    @app.get("/")
    def index() -> Any:
        return redirect("/p/home")

    @app.route("/p/<name>", methods=["GET", "POST"])
    def page(name: str) -> Any:
        if request.method == "POST":
            return (
                json.dumps(request.form.to_dict(flat=False), ensure_ascii=False, indent=1),
                200,
                {"Content-Type": "application/json"},
            )
        template, context = PAGES[name]
        return render_template(template, **context)

    return app


if __name__ == "__main__":
    create().run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 5055, threaded=True)
