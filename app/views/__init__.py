"""Screens: declarations on top of `core.fab.view.EntityView`; one file a subject."""

from __future__ import annotations

from typing import Any

from app.core.fab.file_view import FileView
from app.core.fab.shell import the_shell
from app.core.fab.signin import SignInView
from app.core.fab.view import EntityView
from app.views import document, enterprise, home, inspection, office, personnel, rectification, setting

PAGES = (SignInView, home.HomeView, document.DocumentView, FileView)
ENTITIES: tuple[type[EntityView], ...] = (
    enterprise.EnterpriseView,
    enterprise.SiteView,
    personnel.PersonView,
    personnel.AppointmentView,
    inspection.InspectionView,
    rectification.NoticeView,
    rectification.DelegationView,
    office.OfficeView,
    office.AccountView,
    office.PostingView,
    office.AccessRoleView,
    office.AreaView,
    setting.BureauSettingView,
    setting.LegalCitationView,
    setting.NumberSequenceView,
)


def register(fab: Any) -> None:
    """Put every screen into the application."""
    for page in PAGES:
        fab.add_view_no_menu(page)
    shell = the_shell()
    for view in ENTITIES:
        shell.views.append(fab.add_view_no_menu(view))
