"""The built-in roles (design §1) as rows of the policy table; `app sync` writes them, administrators add their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.core.access.limits import register_builtin
from app.core.access.policy import Coverage as C  # noqa: N817 - a table of roles stays readable
from app.core.access.policy import Grant, grants
from app.core.handover import HandoverState
from app.core.office import Family, RoleOrigin
from app.core.proposal import ProposalState
from app.core.saved import Sharing
from app.core.verbs import Verb as V  # noqa: N817 - as above
from app.data.census import LineState, RoundState, SheetState
from app.data.enums import CheckState, ClosureState, LicenceState, OverrideState, RiskListState, TransferState
from app.data.enums import NoticeState as N
from app.data.people import AssessmentState, BanState, ChangeState
from app.data.reconciling import LineState as Compared
from app.models.inspection import DRAFT

R = (V.READ,)
KEEP = (V.READ, V.CREATE, V.UPDATE)
FIRM_ROWS = ("Enterprise", "Site", "Person", "Appointment")
SERVED = (N.DELIVERED, N.CORRECTING, N.TO_RECHECK, N.CORRECTED, N.NOT_CORRECTED, N.EXTENDED)
LEADS = 30  # the rank of a 所长: from here on one may put filters there for the office
# what firms keep, and what is kept of them
KEPT = ("DailyCheck", "RiskList", "Licence", "Closure", "Training", "Exam", "DirectorDecision", "DirectorOverride",
        "StaffChange", "PolicyDocument", "RiskGrading", "SelfAssessment")  # fmt: skip
NOTES = ("SiteNote",)  # what the regulator thinks of a site: no firm reads it
DRAFT_CHECK, SENT_CHECK = (CheckState.DRAFT,), (CheckState.SUBMITTED,)
MENDABLE = (ChangeState.DRAFT, ChangeState.RETURNED)
OPEN_SELF, SENT_SELF = (AssessmentState.DRAFT, AssessmentState.RETURNED), (AssessmentState.SUBMITTED,)
REPORTED, STANDING = (ChangeState.REPORTED,), (ChangeState.STANDING,)
DECLARED, CLOSED = (ClosureState.DECLARED,), (ClosureState.CONFIRMED,)
RULES = ("DirectorRule", "SizeYardstick")  # everybody reads what is decided by
# who answers for which site, how a station divides its ground, what goes from one station to another
CARE = ("Caretaker", "Precinct", "SiteTransfer")
PRIOR = ("PriorCase",)  # what was done on paper before this system
SEES_TAKEOVER = (Grant("TakeoverStep", R, C.SUBTREE),)
BRINGS_IN = (Grant("PriorCase", (*KEEP, V.EXPORT, V.IMPORT, V.PRINT), C.SUBTREE), *SEES_TAKEOVER)
CALLS_DONE = (Grant("TakeoverStep", (V.CREATE, V.DELETE), C.SUBTREE),)
# 摸底: rounds are the bureau's; a station judges its lines and hands its return in
CENSUS = ("CensusReturn", "CensusLine")
OPEN_SHEET, HANDED_IN = (SheetState.OPEN, SheetState.RETURNED), (SheetState.HANDED_IN,)
COUNTS = (
    Grant("CensusLine", (V.CONFIRM,), C.SUBTREE, (LineState.OPEN,)),
    Grant("CensusLine", (V.END,), C.SUBTREE, (LineState.OPEN, LineState.CONFIRMED, LineState.ADDED)),
    Grant("CensusLine", (V.RETURN,), C.SUBTREE, (LineState.CONFIRMED, LineState.GONE)),
)
HOLIDAYS = (Grant("Holiday", (*KEEP, V.DELETE), C.ALL),)
COLLEAGUES = (
    Grant("Account", R, C.SUPERVISED, (Family.BUSINESS,)),
    Grant("Posting", R, C.OWN),
    Grant("Handover", (V.READ, V.PRINT), C.OWN),  # what was handed to oneself
    Grant("Handover", (V.CONFIRM, V.RETURN), C.OWN, (HandoverState.OPEN,)),
)
# leading an office: who is what there, and its work handed from one to another
LEADS_OFFICE = (
    Grant("Office", R, C.SUBTREE),
    Grant("Posting", R, C.SUBTREE),
    Grant("Handover", (V.READ, V.CREATE, V.PRINT), C.SUBTREE),
)


@dataclass(frozen=True)
class Role:
    """A built-in role: rank orders who may grant what to whom, and which posting stands for a person."""

    code: str
    name: str
    family: Family
    rank: int
    grants: tuple[Grant, ...]
    hidden: dict[str, list[str]] = field(default_factory=dict)  # entity → columns that this role is never shown

    def table(self) -> dict[str, Any]:
        """Grants as AccessRole stores them, with what everybody keeps about lists."""
        return grants((*self.grants, *_lists(self.family, self.rank)))


def _lists(family: Family, rank: int) -> tuple[Grant, ...]:
    """Own filters, columns and bulk acts for all; the office's filters are read by its people, kept by who leads."""
    read = _over(RULES, R, C.ALL) if family in {Family.BUSINESS, Family.FIRM} else ()
    own = tuple(Grant(entity, (*KEEP, V.DELETE), C.OWN) for entity in ("SavedFilter", "ListPreference", "BulkRun"))
    if family not in {Family.BUSINESS, Family.SYSTEM}:
        return (*own, *read)
    kept = (V.READ, V.CREATE, V.UPDATE, V.DELETE) if rank >= LEADS else R
    return (*own, *read, Grant("SavedFilter", kept, C.SUBTREE, (Sharing.OFFICE,)))


def _over(entities: tuple[str, ...], verbs: tuple[V, ...], coverage: C) -> tuple[Grant, ...]:
    return tuple(Grant(entity, verbs, coverage) for entity in entities)


def _reader(coverage: C) -> tuple[Grant, ...]:
    """Reading everything about firms, inspections and notices within a coverage."""
    rows = (*FIRM_ROWS, "Ban", "Inspection", "Notice", "Delivery", *KEPT, *NOTES, *CARE, *PRIOR)
    read = (*_over(rows, (V.READ, V.EXPORT, V.PRINT), coverage), Grant("TakeoverStep", R, coverage))
    return (*read, *_reads_census(coverage), Grant("Holiday", R, C.ALL), *COLLEAGUES)


def _reads_census(coverage: C) -> tuple[Grant, ...]:
    return (Grant("CensusRound", R, C.ALL), *_over(CENSUS, (V.READ, V.EXPORT, V.PRINT), coverage))


def _holds_census(coverage: C) -> tuple[Grant, ...]:
    """Opening a round, taking what the stations hand in, or sending it back."""
    return (
        Grant("CensusRound", (V.READ, V.CREATE), C.ALL),
        Grant("CensusRound", (V.UPDATE, V.DELETE, V.CONFIRM), C.ALL, (RoundState.DRAFT,)),
        Grant("CensusRound", (V.END,), C.ALL, (RoundState.OPEN,)),
        Grant("CensusReturn", (V.CONFIRM,), coverage, HANDED_IN),
        Grant("CensusReturn", (V.RETURN,), coverage, (SheetState.HANDED_IN, SheetState.ACCEPTED)),
    )


def _enters_bans(coverage: C) -> tuple[Grant, ...]:
    """从业禁止, as decisions come in; to set one aside is for who leads or reviews."""
    return (Grant("Ban", (V.CREATE,), coverage), Grant("Ban", (V.UPDATE,), coverage, (BanState.IN_FORCE,)))


def _lifts_bans(coverage: C) -> tuple[Grant, ...]:
    return (Grant("Ban", (V.REVOKE,), coverage, (BanState.IN_FORCE,)),)


def _makes_lists(coverage: C, *, approves: bool = True) -> tuple[Grant, ...]:
    """Making editions of risk lists: only a draft is edited, put in force or deleted."""
    making = (V.UPDATE, V.DELETE, V.CONFIRM) if approves else (V.UPDATE, V.DELETE)
    ends = (Grant("RiskList", (V.END,), coverage, (RiskListState.IN_FORCE,)),) if approves else ()
    drafts = (RiskListState.DRAFT,)
    return (Grant("RiskList", (V.READ, V.CREATE), coverage), Grant("RiskList", making, coverage, drafts), *ends)


def _fills_checks(coverage: C) -> tuple[Grant, ...]:
    """Writing daily records, until they are submitted."""
    return (
        Grant("DailyCheck", (V.READ, V.CREATE), coverage),
        Grant("DailyCheck", (V.UPDATE, V.SUBMIT, V.DELETE), coverage, DRAFT_CHECK),
    )


# what a station keeps about its firms beside inspections: licences, closures, trainings, examinations, lists
STATION_KEEPS = (
    *_reads_census(C.SUBTREE),
    *COUNTS,
    *_over((*KEPT, *NOTES, "Ban"), (V.READ, V.EXPORT, V.PRINT), C.SUBTREE),
    *_enters_bans(C.SUBTREE),
    *_over(("Licence", "Training", "Exam", "PolicyDocument", "RiskGrading", *NOTES), (V.CREATE, V.UPDATE), C.SUBTREE),
    Grant("RiskGrading", (V.IMPORT,), C.SUBTREE),
    Grant("Licence", (V.END, V.REVOKE), C.SUBTREE, (LicenceState.VALID,)),
    Grant("Closure", (V.CREATE,), C.SUBTREE),
    Grant("Closure", (V.UPDATE, V.CONFIRM, V.RETURN), C.SUBTREE, DECLARED),
    Grant("Closure", (V.END, V.REVOKE), C.SUBTREE, CLOSED),
    Grant("StaffChange", (V.CONFIRM, V.RETURN), C.SUBTREE, REPORTED),
    Grant("StaffChange", (V.END,), C.SUBTREE, STANDING),
    Grant("SelfAssessment", (V.CONFIRM, V.RETURN), C.SUBTREE, SENT_SELF),
    *_makes_lists(C.SUBTREE),
    Grant("Holiday", R, C.ALL),
)
KEEPS_CARE = (
    *_over(("Caretaker", "Precinct"), (V.CREATE, V.UPDATE, V.IMPORT), C.SUBTREE),
    Grant("Precinct", (V.DELETE,), C.SUBTREE),
)
PROPOSED = (TransferState.OPEN,)
WITHDRAWS = (Grant("SiteTransfer", R, C.OWN), Grant("SiteTransfer", (V.REVOKE,), C.OWN, PROPOSED))
SAYS_OTHERWISE = (Grant("DirectorOverride", (V.CREATE,), C.SUBTREE),
                  Grant("DirectorOverride", (V.REVOKE,), C.SUBTREE, (OverrideState.IN_FORCE,)))  # fmt: skip

# other systems' exports held against ours: a line lies with the office of the firm it is about
UNDECIDED = (Compared.OPEN,)
RECONCILES = (
    Grant("Reconciliation", KEEP, C.SUBTREE),
    Grant("ReconciliationLine", (V.READ, V.CREATE, V.EXPORT), C.SUBTREE),
    Grant("ReconciliationLine", (V.UPDATE,), C.SUBTREE, UNDECIDED),
)
READS_LINES = ("Reconciliation", "ReconciliationLine")

INSPECTS = (
    *_over(FIRM_ROWS, (*KEEP, V.EXPORT, V.IMPORT, V.PRINT), C.SUBTREE),
    Grant("Inspection", (V.READ, V.CREATE, V.EXPORT, V.PRINT), C.SUBTREE),
    Grant("Inspection", (V.READ,), C.ASSIGNED),
    Grant("Inspection", (V.UPDATE, V.COMPLETE, V.OPEN), C.ASSIGNED, (DRAFT,)),  # who is lent for one visit writes it
    Grant("Inspection", (V.UPDATE, V.COMPLETE, V.VOID, V.OPEN), C.SUBTREE, (DRAFT,)),
    *_over(("Enterprise", "Site"), R, C.ASSIGNED),
    *_over(("Enterprise", "Person"), (V.REVEAL,), C.SUBTREE),
    Grant("Notice", (V.READ, V.CREATE, V.EXPORT, V.PRINT), C.SUBTREE),
    Grant("Notice", (V.UPDATE, V.SUBMIT), C.SUBTREE, (N.DRAFT,)),
    Grant("Notice", (V.SERVE,), C.SUBTREE, (N.SIGNED,)),
    Grant("Delivery", R, C.SUBTREE),
    *STATION_KEEPS,
    *_over(CARE, (V.READ, V.EXPORT, V.PRINT), C.SUBTREE),
    Grant("DailyCheck", (V.REVOKE,), C.SUBTREE, SENT_CHECK),
    Grant("SelfAssessment", (V.REVOKE,), C.SUBTREE, (AssessmentState.CONFIRMED,)),
    *BRINGS_IN,
    *RECONCILES,
    *COLLEAGUES,
)  # fmt: skip

FIRM_HIDDEN = {"Enterprise": ["note"]}  # what the station notes about a firm is the station's
FIRM_GRANTS = (
    *_over(("Enterprise", "Site", "Appointment", "Person"), R, C.FIRM),
    *_over(("Enterprise", "Appointment"), (V.PRINT,), C.FIRM),  # their own 任命书, 职责, 守则, 公示牌
    Grant("Notice", R, C.FIRM, SERVED),
    Grant("Delivery", R, C.FIRM),
    *_over(KEPT, R, C.FIRM),
    *_fills_checks(C.FIRM),
    *_makes_lists(C.FIRM, approves=False),
    Grant("Closure", (V.CREATE,), C.FIRM),
    Grant("Closure", (V.UPDATE,), C.FIRM, DECLARED),
    *_over(("Training", "PolicyDocument"), (V.CREATE, V.UPDATE), C.FIRM),
    *_over(("StaffChange", "SelfAssessment"), (V.CREATE,), C.FIRM),
    Grant("SelfAssessment", (V.UPDATE, V.SUBMIT), C.FIRM, OPEN_SELF),
    Grant("SelfAssessment", (V.DELETE,), C.FIRM, (AssessmentState.DRAFT,)),
    Grant("StaffChange", (V.UPDATE, V.SUBMIT), C.FIRM, MENDABLE),
    Grant("StaffChange", (V.REVOKE,), C.FIRM, (*MENDABLE, *REPORTED)),
    Grant("StaffChange", (V.END,), C.FIRM, STANDING),
    Grant("Holiday", R, C.ALL),
)

ADMINISTERS = (
    Grant("Office", KEEP, C.SUBTREE),
    Grant("Account", KEEP, C.SUBTREE),
    Grant("Posting", (*KEEP, V.END, V.EXPORT, V.PRINT), C.SUBTREE),
    Grant("AccessRole", (V.READ, V.EXPORT, V.PRINT), C.ALL),
    Grant("OfficeArea", KEEP, C.SUBTREE),
)

# the roles that administrators make are theirs; built-in ones change with the program alone
MAKES_ROLES = (
    Grant("AccessRole", (V.CREATE,), C.ALL),
    Grant("AccessRole", (V.UPDATE, V.DELETE), C.ALL, (RoleOrigin.CUSTOM,)),
)

# who audits sees who holds what, never the business itself
# the log is the auditor's alone, and whole: it tells what chiefs do as well; the rest read the record's own history
AUDITS = (
    Grant("HistoryEntry", (V.READ, V.EXPORT), C.ALL),
    Grant("Account", R, C.SUBTREE),
    Grant("Posting", (V.READ, V.EXPORT, V.PRINT), C.SUBTREE),
    Grant("AccessRole", (V.READ, V.EXPORT, V.PRINT), C.ALL),
    Grant("Delegation", R, C.SUBTREE),
)

ROLES = (
    Role("sysadmin", "系统管理员", Family.SYSTEM, 90, (
        *ADMINISTERS,
        *MAKES_ROLES,
        Grant("Area", KEEP, C.ALL),
        Grant("PostingProposal", (V.READ, V.CREATE), C.SUBTREE),
        Grant("PostingProposal", (V.CONFIRM, V.RETURN, V.REVOKE), C.SUBTREE, (ProposalState.OPEN,)),
    )),
    Role("office_admin", "机构管理员", Family.SYSTEM, 50, ADMINISTERS),
    Role("leader", "局领导", Family.BUSINESS, 60, (
        *_reader(C.SUBTREE),
        *LEADS_OFFICE,
        *_over(READS_LINES, R, C.SUBTREE),
        Grant("Site", (V.TRANSFER,), C.SUBTREE),
        *WITHDRAWS,
        *_holds_census(C.SUBTREE),
        Grant("Inspection", (V.SEAL, V.OPEN), C.SUBTREE, (DRAFT,)),
        Grant("Notice", (V.SIGN,), C.SUBTREE, (N.TO_SIGN,)),
        Grant("Notice", (V.VOID,), C.SUBTREE, (N.SIGNED,)),
        Grant("Delegation", (*KEEP, V.PRINT), C.SUBTREE),
        Grant("BureauSetting", (V.READ, V.CONFIRM), C.ALL),
        Grant("NumberSequence", R, C.ALL),
        Grant("LegalCitation", R, C.ALL),
    )),
    Role("legal", "法规股", Family.BUSINESS, 45, (
        *_reader(C.SUPERVISED),
        Grant("Notice", (V.REVIEW,), C.SUPERVISED, (N.IN_REVIEW,)),
        Grant("Delegation", R, C.SUPERVISED),
        Grant("LegalCitation", KEEP, C.ALL),
        Grant("BureauSetting", (V.READ, V.CONFIRM), C.ALL),
        Grant("BureauSetting", (V.UPDATE,), C.ALL, ("待确认",)),
        Grant("NumberSequence", KEEP, C.ALL),
        *_enters_bans(C.SUPERVISED),
        *_lifts_bans(C.SUPERVISED),
        *_over(RULES, KEEP, C.ALL),
        *HOLIDAYS,
    )),
    Role("section", "业务股室", Family.BUSINESS, 40, (
        *_reader(C.SUPERVISED),
        Grant("Inspection", (V.SEAL, V.OPEN), C.SUPERVISED, (DRAFT,)),
        *_makes_lists(C.SUPERVISED),
        Grant("Notice", (V.REVIEW,), C.SUPERVISED, (N.IN_REVIEW,)),
        Grant("LegalCitation", R, C.ALL),
    )),
    Role("coordination", "综合协调与应急管理股", Family.BUSINESS, 40, (
        *_reader(C.SUPERVISED),
        Grant("Site", (V.TRANSFER,), C.SUPERVISED),
        # it gets the other systems' exports for the whole bureau; the stations decide
        Grant("Reconciliation", KEEP, C.SUBTREE),
        Grant("Reconciliation", R, C.SUPERVISED),
        Grant("ReconciliationLine", (V.READ, V.CREATE, V.EXPORT), C.SUPERVISED),
        Grant("ReconciliationLine", (V.READ, V.CREATE), C.SUBTREE),
        *WITHDRAWS,
        *_holds_census(C.SUPERVISED),
        *HOLIDAYS,
    )),
    Role("brigade", "执法大队", Family.BUSINESS, 40, (
        *_reader(C.SUPERVISED),
        *_over(("Enterprise", "Person"), (V.REVEAL,), C.SUPERVISED),
        *_enters_bans(C.SUPERVISED),
        Grant("LegalCitation", R, C.ALL),
    )),
    Role("taskforce", "专班", Family.BUSINESS, 35, (
        *_reader(C.SUPERVISED),
        *_over(READS_LINES, R, C.SUPERVISED),
        *_holds_census(C.SUPERVISED),
    )),
    Role("chief", "所长", Family.BUSINESS, 30, (
        Grant("Person", (V.ACTIVATE,), C.SUBTREE),
        *INSPECTS,
        *SAYS_OTHERWISE,
        *KEEPS_CARE,
        *CALLS_DONE,
        Grant("Site", (V.TRANSFER,), C.SUBTREE),
        Grant("SiteTransfer", (V.CONFIRM, V.RETURN), C.SUBTREE, PROPOSED),
        *WITHDRAWS,
        *_lifts_bans(C.SUBTREE),
        Grant("CensusReturn", (V.SUBMIT,), C.SUBTREE, OPEN_SHEET),
        Grant("Inspection", (V.SEAL,), C.SUBTREE, (DRAFT,)),
        *LEADS_OFFICE,
        Grant("Notice", (V.REVIEW,), C.SUBTREE, (N.IN_REVIEW,)),
        Grant("LegalCitation", R, C.ALL),
    )),
    Role("inspector", "监管员", Family.BUSINESS, 20, (*INSPECTS, Grant("LegalCitation", R, C.ALL))),
    Role("clerk", "内勤", Family.BUSINESS, 15, (
        Grant("Person", (V.ACTIVATE,), C.SUBTREE),
        *_over(("Enterprise", "Person"), (V.REVEAL,), C.SUBTREE),
        *_over(FIRM_ROWS, (*KEEP, V.EXPORT, V.IMPORT, V.PRINT), C.SUBTREE),
        *_over(("Inspection", "Notice", "Delivery"), (V.READ, V.EXPORT, V.PRINT), C.SUBTREE),
        *STATION_KEEPS,
        *_over(CARE, (V.READ, V.EXPORT, V.PRINT), C.SUBTREE),
        *KEEPS_CARE,
        *BRINGS_IN,
        *CALLS_DONE,
        *RECONCILES,
        *_fills_checks(C.SUBTREE),
        *COLLEAGUES,
    )),
    Role("assistant", "协管员", Family.BUSINESS, 10, (
        *_over(FIRM_ROWS, R, C.SUBTREE),
        *_over(("Inspection", "Notice", "Ban", *KEPT, *NOTES, *CENSUS, "Caretaker", "Precinct", *PRIOR), R, C.SUBTREE),
        *SEES_TAKEOVER,
        Grant("CensusRound", R, C.ALL),
        Grant("Holiday", R, C.ALL),
        *COLLEAGUES,
    )),
    Role("city", "市局", Family.BUSINESS, 5, (Grant("Posting", R, C.OWN),)),
    Role("firm_principal", "主要负责人", Family.FIRM, 3, (*FIRM_GRANTS, *_makes_lists(C.FIRM)), FIRM_HIDDEN),
    Role("firm_director", "食品安全总监", Family.FIRM, 2, FIRM_GRANTS, FIRM_HIDDEN),
    Role("firm_officer", "食品安全员", Family.FIRM, 1, FIRM_GRANTS, FIRM_HIDDEN),
    Role("auditor", "审计员", Family.AUDIT, 80, AUDITS),
)  # fmt: skip

register_builtin(ROLES)
