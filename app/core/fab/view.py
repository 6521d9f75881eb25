"""`EntityView`: an entity declared once becomes its screens. Our base over FAB's ModelView; every route is ours."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import ModelView
from sqlalchemy import inspect

from app.core.attachment import register_carrier
from app.core.fab.bulk_view import BulkScreens
from app.core.fab.cells import register_route
from app.core.fab.checks import require_sound
from app.core.fab.converter import AppModelConverter
from app.core.fab.export_view import ExportScreens
from app.core.fab.export_view import register as register_export
from app.core.fab.filters import PerRequestFilters
from app.core.fab.form_view import FormScreens
from app.core.fab.gate import gate_of
from app.core.fab.import_job import register as register_import
from app.core.fab.import_view import ImportScreens
from app.core.fab.saved_view import SavedScreens
from app.core.fab.show_view import ShowScreens
from app.core.fab.step_view import StepScreens
from app.core.importing.naming import register_naming


class EntityView(
    PerRequestFilters, SavedScreens, BulkScreens, ExportScreens, ShowScreens, FormScreens, StepScreens, ImportScreens,
    ModelView,
):  # fmt: skip
    """Screens of one entity, from its declaration (`declaration.Declaration`).

    A method is a route only when it says what it needs (`gate`): none of FAB's own does.
    """

    label_columns: dict[str, Any]
    related_views: list[Any]
    _related_views: list[Any]

    def __init__(self) -> None:
        self.model = self.datamodel.obj
        self.entity_name = self.model.policy_name()
        self.class_permission_name = self.entity_name
        self.include_route_methods = {name for name in dir(type(self)) if gate_of(getattr(type(self), name, None))}
        register_route(self.model, self.route_base)
        register_naming(self.model, self.naming)
        register_export(self)
        register_import(self)
        if self.attachments:
            register_carrier(self.model)
        super().__init__()
        require_sound(self)

    def _init_properties(self) -> None:
        """What FAB would derive with relations and all; ours is declared."""
        self._base_filters = self.datamodel.get_filters()
        self._filters = self.datamodel.get_filters([])
        self.order_columns = list(self.order_columns or [n for n in self.list_columns if self._sortable(n)])
        self.label_columns, self.related_views, self._related_views = {}, [], []

    def _sortable(self, name: str) -> bool:
        target = inspect(self.model).columns.get(name)
        return target is not None and not target.info.get("secret")

    def _init_forms(self) -> None:
        names = [name for part in self.form_parts for name in part.columns]
        self.edit_form = self.add_form = AppModelConverter(self.datamodel).create_form(names, self.form_fields)

    def _init_titles(self) -> None:
        """Titles are declared."""
