"""FAB keeps a request's filters on the process-wide view (FAB #2366): another's search shows up. Closed here."""

from __future__ import annotations

import copy
from typing import Any

from flask import g, has_request_context


class PerRequestFilters:
    """First base of every view: `_filters` lives in the request, a pristine copy of the view's own."""

    @property
    def _filters(self) -> Any:
        pristine = self.__dict__.get("pristine_filters")
        if pristine is None or not has_request_context():
            return pristine
        kept = g.setdefault("fab_filters", {})
        if id(self) not in kept:
            kept[id(self)] = copy.copy(pristine)
            kept[id(self)].clear_filters()
        return kept[id(self)]

    @_filters.setter
    def _filters(self, value: Any) -> None:
        self.__dict__["pristine_filters"] = value
