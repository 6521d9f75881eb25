"""Translating without asking again for each word which language the request is in.

Flask-Babel finds its context three times for each text; a list page has some two hundred of them.
"""

from __future__ import annotations

from typing import Any

from babel.support import NullTranslations
from flask import Flask, g
from flask_babel import Domain, get_babel, get_locale


class Words(Domain):
    """Flask-Babel's domain, which keeps the catalogue it has found beside the locale that it was found for."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the locale in force, which `force_locale` may change in the middle of a request."""
        kept = _kept()
        found = getattr(kept, "shouze_words", None)
        if found is not None and found[0] is getattr(kept, "babel_locale", None):
            catalogue: NullTranslations = found[1]
            return catalogue
        catalogue = super().get_translations()
        if kept is not None:
            kept.shouze_words = (get_locale(), catalogue)
        return catalogue


def _kept() -> Any:
    """What Flask-Babel remembers of this request; None before it has remembered anything."""
    return g.get("_flask_babel") if g else None


def install(app: Flask) -> None:
    """Have one application's texts, those of its templates too, translated this way."""
    words = Words(domain=get_babel(app).default_domain)
    get_babel(app).instance.domain_instance = words
    texts: Any = app.jinja_env
    texts.install_gettext_callables(
        gettext=lambda text: words.get_translations().ugettext(text),
        ngettext=lambda one, many, n: words.get_translations().ungettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, text: words.get_translations().upgettext(context, text),
        npgettext=lambda context, one, many, n: words.get_translations().unpgettext(context, one, many, n),
    )
    app.jinja_env.globals["_"] = app.jinja_env.globals["gettext"]  # not by way of an alias that looks it up each time
