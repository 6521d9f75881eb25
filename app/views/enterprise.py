"""Screens of firms and their sites."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from app.core.access.context import current_access
from app.core.attachment import Attachments
from app.core.codes import check_credit_code, check_licence
from app.core.fab.forming import Part
from app.core.fab.interface import AppInterface
from app.core.fab.merge_view import MergeScreens
from app.core.fab.preset import Preset
from app.core.fab.showing import Children
from app.core.fab.view import EntityView
from app.core.importing.naming import Naming
from app.core.screen import Action
from app.core.verbs import Verb
from app.data.reconciling import PlatformAccount
from app.models.care import Caretaker
from app.models.check import DailyCheck
from app.models.director import DirectorDecision
from app.models.enterprise import GONE, Enterprise, Site
from app.models.grading import RiskGrading, SiteNote
from app.models.licence import Closure, Licence
from app.models.policy_document import PolicyDocument
from app.models.self_assessment import SelfAssessment
from app.models.takeover import PriorCase
from app.services.likeness import tell_apart
from app.views.care import CARE_ACTS, PRESETS
from app.views.care_day import DayScreens, day_action
from app.views.firm_file import FILE_ACTS, FileScreens, file_action, on_pages
from app.views.firm_papers import FIRM_PAPERS, FirmPapers
from app.views.staffing import Staffing
from app.views.takeover import INCOMPLETE
from app.views.transfer import TRANSFER_ACTS, TransferScreens, transfer_actions


class Merges(MergeScreens):
    """What firms and sites share: which look alike."""

    def tell_apart(self, one: Any, other: Any, *, distinct: bool) -> None:
        """Remembered for both."""
        tell_apart(one, other, distinct=distinct)

    def duplicates_url(self, *, dismissed: bool = False) -> str:
        """The page of duplicates."""
        words = {"of": self.entity_name} | ({"dismissed": "1"} if dismissed else {})
        return f"/duplicates/?{urlencode(words)}"


WITHOUT_ACCOUNT = Preset(
    _("没有平台账号"),
    f"platform_account={PlatformAccount.NONE}",
    lambda: current_access().may("Enterprise", Verb.UPDATE),
)


class EnterpriseView(Staffing, DayScreens, FileScreens, FirmPapers, Merges, EntityView):
    """主体: found by name, pinyin initials or code."""

    datamodel = AppInterface(Enterprise)
    route_base = "/enterprises"
    title = lazy_pgettext("list", "主体")
    icon = "building"
    task = ("firms", 2)
    description = _("一个统一社会信用代码一个主体，可以有多个经营场所。")
    list_columns = ["name", "code", "legal_person", "phone", "address", "state"]
    order_columns = ["name", "code", "state"]
    list_filters = ["state", "care", "gaps", "org_form", "main_line", "must_have_director", "platform_account",
                    "legal_person", "address"]  # fmt: skip
    presets = [*PRESETS, INCOMPLETE, WITHOUT_ACCOUNT]
    # who answers would be a ninth statement
    extra_columns = [
        "org_form",
        "must_have_director",
        "platform_account",
        "platform_since",
        "head_code",
        "note",
    ]
    bulk_acts = [*FILE_ACTS, *FIRM_PAPERS]
    default_order = "-made_at"
    form_parts = [
        Part(_("主体"), ["name", "code", "org_form", "legal_person", "phone", "address", "state"]),
        Part(_("其他"), ["main_line", "head_code", "platform_account", "platform_since", "note"]),
    ]
    show_parts = [
        (_("主体"), ["name", "code", "org_form", "legal_person", "phone", "address", "state", "must_have_director"]),
        (_("其他"), ["gaps", "care", "lines", "main_line", "head_code", "platform_account", "platform_since", "note",
                    "office_id", "merged_into"]),
    ]  # fmt: skip
    attachments = Attachments(_("证照和其他文件"))
    children = [
        Children("sites", ["name", "kind", "address", "risk_grade", "state"], add="enterprise"),
        Children("", ["kind", "state", "made_on", "note"], add="enterprise", of=(PolicyDocument, "enterprise_id")),
        Children("", ["occasion", "year", "summary", "submitted_at", "state"], add="enterprise",
                 of=(SelfAssessment, "enterprise_id")),
    ]  # fmt: skip
    naming = Naming(
        keys=(("code",), ("name",)),
        found_by=("code", "name"),
        canonical={"code": lambda text: check_credit_code(text).value},
        ended=lambda firm: firm.state in GONE,
    )
    import_names = {
        "name": ("企业名称", "主体名称", "单位", "店名", "字号名称", "经营者名称"),
        "legal_person": ("法人", "法人代表"),
        "code": ("信用代码", "社会信用代码", "营业执照号", "注册号", "组织机构代码"),
        "phone": ("电话", "手机", "联系方式"),
        "address": ("地址", "注册地址", "经营场所地址"),
        "state": ("状态", "经营情况"),
        "org_form": ("企业类型",),
        "platform_account": ("风控平台账号", "账号状态"),
    }

    def extra_actions(self, row: Any) -> list[Action]:
        """Its file; who answered on a day."""
        return [*file_action(row), day_action(self.route_base, row.id), *super().extra_actions(row)]

    def lookup_sub(self, row: Any) -> str:
        """Code and address tell firms of one name apart."""
        return " · ".join(part for part in (row.code, row.address) if part)


LICENCE = ["licence_kind", "licence_no", "licence_until"]
PLACE = [
    "enterprise", "name", "area", "precinct", "address", "kind", "lines", "main_line", "risk_grade", "state",
    "host_code",
]  # fmt: skip
BACKING = ["backing", "backing_official"]
SCALE = ["staff", "revenue", "floor_area", "seats", "meals", "special_food", "headquarters", "trade", "canteen_kind"]


class SiteView(DayScreens, TransferScreens, Merges, EntityView):
    """经营场所: where the firm works; inspections and notices belong here."""

    datamodel = AppInterface(Site)
    route_base = "/sites"
    title = lazy_pgettext("list", "经营场所")
    icon = "store"
    task = ("firms", 3)
    list_columns = ["name", "enterprise", "kind", "area", "lines", "risk_grade", "state"]
    order_columns = ["name", "kind", "risk_grade", "state"]
    list_filters = [
        "state", "care", "area", "precinct", "kind", "lines", "main_line", "risk_grade", "must_have_director",
        "enterprise", "licence_until",
    ]  # fmt: skip
    presets = PRESETS
    extra_columns = ["precinct", "address", "main_line", "host_code", *LICENCE, *BACKING, "must_have_director", *SCALE]
    bulk_acts = [*CARE_ACTS, *TRANSFER_ACTS]
    default_order = "-made_at"
    form_parts = [
        Part(_("场所"), PLACE),
        Part(_("许可"), LICENCE),
        Part(_("包保"), BACKING),
        Part(_("规模"), SCALE, help=_("决定是否应当配备食品安全总监；没有的可以不填。")),
    ]
    show_parts = [
        (_("场所"), [*PLACE, "grades", "merged_into"]),
        (_("监管"), ["care", *BACKING, "office_id"]),
        (_("许可"), LICENCE),
        (_("规模"), ["must_have_director", *SCALE]),
    ]
    naming = Naming(
        keys=(("enterprise", "name"),),
        found_by=("licence_no", "name"),
        canonical={"licence_no": lambda text: check_licence(text).value},
        ended=lambda site: site.state in GONE,
    )
    import_names = {
        "enterprise": ("企业名称", "主体名称", "单位名称", "统一社会信用代码"),
        "name": ("门店名称", "店名", "名称"),
        "area": ("苏木乡镇", "乡镇", "街道", "辖区"),
        "address": ("地址", "场所地址"),
        "kind": ("业态", "类型", "主体业态"),
        "lines": ("业务线", "环节"),
        "risk_grade": ("风险级别", "等级"),
        "licence_no": ("许可证号", "证号"),
        "licence_until": ("有效期至", "有效期", "许可证有效期"),
        "state": ("状态",),
        "backing": ("包保等级", "包保层级"),
        "backing_official": ("包保责任人", "包保领导"),
    }
    attachments = Attachments(_("场所照片和证照"))
    children = [
        Children("", ["role", "account", "date_from", "date_to", "standing"], add="site", of=(Caretaker, "site_id")),
        Children(
            "",
            ["verdict", "rule", "words", "missing", "cause", "date_from", "date_to"],
            of=(DirectorDecision, "site_id"),
        ),
        Children("", ["line", "grade", "score", "year", "date_from", "basis"], add="site", of=(RiskGrading, "site_id")),
        Children("", ["kind", "text", "date"], add="site", of=(SiteNote, "site_id")),
        Children("", ["check_date", "person", "summary", "marks", "state"], add="site", of=(DailyCheck, "site_id")),
        Children("", ["kind", "number", "valid_to", "expiry", "state"], add="site", of=(Licence, "site_id")),
        Children("", ["kind", "date_from", "date_to", "reason", "state"], add="site", of=(Closure, "site_id")),
        Children("", ["kind", "number", "done_on", "scans", "state"], add="site", of=(PriorCase, "site_id")),
    ]

    def extra_actions(self, row: Any) -> list[Action]:
        """Who answered on a day; giving it to another station."""
        return [*transfer_actions(row), day_action(self.route_base, row.id), *super().extra_actions(row)]

    def lookup_sub(self, row: Any) -> str:
        """Kind and address tell sites apart."""
        return " · ".join(part for part in (row.kind, row.address) if part)


on_pages(EnterpriseView, SiteView)
