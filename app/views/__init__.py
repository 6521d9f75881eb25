"""Screens: declarations on top of `core.fab.view.EntityView`; one file a subject."""

from __future__ import annotations

from typing import Any

from app.core.fab.shell import the_shell
from app.core.fab.signin import SignInView
from app.core.fab.view import EntityView
from app.views import (
    check,
    document,
    enterprise,
    holiday,
    home,
    inspection,
    licence,
    office,
    personnel,
    rectification,
    risk_list,
    setting,
    training,
)

PAGES = (SignInView, home.HomeView, document.DocumentView)
ENTITIES: tuple[type[EntityView], ...] = (
    enterprise.EnterpriseView,
    enterprise.SiteView,
    personnel.PersonView,
    personnel.AppointmentView,
    licence.LicenceView,
    licence.ClosureView,
    training.TrainingView,
    training.ExamView,
    check.DailyCheckView,
    risk_list.RiskListView,
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
    holiday.HolidayView,
)


def register(fab: Any) -> None:
    """Put every screen into the application."""
    for page in PAGES:
        fab.add_view_no_menu(page)
    shell = the_shell()
    for view in ENTITIES:
        shell.views.append(fab.add_view_no_menu(view))
