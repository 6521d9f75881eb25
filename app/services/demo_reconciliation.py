"""Demo data of comparing: the registration system's export for one station, with some of each difference."""

from __future__ import annotations

from io import BytesIO

from openpyxl import Workbook
from sqlalchemy import select

from app.core import attachment, clock
from app.core.access.context import acting
from app.core.codes import make_credit_code
from app.core.db import current_session
from app.core.saving import save
from app.core.verbs import Verb
from app.core.workflow import run
from app.core.writing import unit_of_work
from app.data.reconciling import Extent, LineKind, PlatformAccount, Source
from app.models.enterprise import ENDED, Enterprise
from app.models.reconciliation import Reconciliation, ReconciliationLine
from app.services.reconciliation import begin

HEADINGS = ("企业名称", "统一社会信用代码", "住所", "法定代表人", "联系电话")
MAPPING = ["name", "code", "address", "legal_person", "phone"]
DIFFERS, LEFT_OUT, UNOPENED = 5, 7, 3  # every so many
NEW = 88_000  # the first number of a made-up code


def make_comparison(accounts: dict[str, int], made: dict[str, int]) -> None:
    """Compare one station's firms with a file; adds to how many were made."""
    with acting(accounts["neiqin-a"]):
        with unit_of_work(Verb.CREATE):
            whole = Reconciliation(source=Source.REGISTRATION, extent=Extent.FULL, as_of=clock.today())
            save(whole, Verb.CREATE)
            name = "登记注册系统导出.xlsx"
            attachment.attach(whole, [attachment.receive("d" * 32, name, _file())], Verb.CREATE)
        key = whole.id
        begin(whole, "Sheet", 1, MAPPING, f"/reconciliations/{key}")
        _decide(key)
        _open_accounts()
    made["Reconciliation"] = 1


def _file() -> bytes:
    """Most firms as they are, some otherwise, some left out, some that nobody here knows, one row that is wrong."""
    mine = select(Enterprise).where(Enterprise.state.not_in(ENDED)).order_by(Enterprise.id).limit(60)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet")
    sheet.append(HEADINGS)
    for number, one in enumerate(current_session().scalars(mine).unique(), 1):
        person = "乌日娜" if number % DIFFERS == 0 else one.legal_person
        if number % LEFT_OUT:
            sheet.append((one.name, one.code, one.address, person, one.phone))
    for number in range(1, 4):
        code, place = make_credit_code(NEW + number), f"大沁他拉镇新市街 {number} 号"
        sheet.append((f"奈曼旗新市街{number}号面馆", code, place, "萨仁", None))
    sheet.append(("代码不全的店", "92150525MA", "大沁他拉镇", "", ""))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _decide(key: int) -> None:
    """One taken, one kept, the rest waits."""
    mine = (ReconciliationLine.reconciliation_id == key, ReconciliationLine.kind == LineKind.DIFFERENT)
    lines = current_session().scalars(select(ReconciliationLine).where(*mine).limit(2)).unique().all()
    for line, step in zip(lines, ("adopt", "keep"), strict=False):
        run(line, step)


def _open_accounts() -> None:
    with unit_of_work(Verb.UPDATE):
        some = select(Enterprise).where(Enterprise.state.not_in(ENDED)).order_by(Enterprise.id).limit(60)
        for number, one in enumerate(current_session().scalars(some).unique(), 1):
            if number % UNOPENED:
                one.platform_account, one.platform_since = PlatformAccount.OPENED, clock.today()
