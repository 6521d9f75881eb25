"""Contexts of the pages about firms that no entity's screen draws: ledgers, reports, look-alikes, merging, a day."""

from datetime import date
from types import SimpleNamespace as N
from typing import Any

from app.data.enums import AppointmentRole
from app.services.ledger import Wanted, Which
from tests.ui_preview.samples_forms import field

DAY = date(2026, 11, 24)


def _url(**changes: Any) -> str:
    return "/ledgers/?" + "&".join(f"{name}={value}" for name, value in changes.items() if value is not None)


def _cell(text: str, url: str | None = None) -> N:
    return N(kind="text", text=text, title=None, url=url, tone=None)


def _line(key: int, name: str, kinds: list[str], people: dict[str, str], **more: Any) -> N:
    """A firm's line as `services.ledger.Entry` has it, its words already said."""
    lacking = more.pop("gap", [])
    return N(id=key, name=name, kinds=kinds, areas=["八仙筒镇"], office="八仙筒所", gap=lacking, must=bool(lacking),
             voluntary=not lacking, named=lambda role: people.get(role, "未配备"))  # fmt: skip


def ledger() -> dict[str, Any]:
    people = {AppointmentRole.DIRECTOR: "王秀英", AppointmentRole.OFFICER: "李娜、包文斌"}
    held = _line(1, "奈曼旗八仙筒镇福满家生活超市（个体工商户）", ["食品销售企业"], people)
    bare = _line(
        2, "奈曼旗青龙山镇中心校食堂", ["学校食堂"], {}, gap=["应配总监未配（空缺 12 天）", "未配安全员（空缺 3 天）"]
    )
    return {
        "title": "应配未配企业清单", "wanted": Wanted(Which.GAP, DAY), "rows": [held, bare], "total": 61, "page": 1,
        "first": 0, "pages": 2, "figures": [("主体", 61), ("应配总监", 7), ("未配", 2)],
        "by_line": "按条线：食品生产 8　食品销售 33　餐饮服务 57", "roles": AppointmentRole, "day": "今天", "url": _url,
        "tabs": [(Which.A, "总监台账", "?which=a"), (Which.B, "安全员台账", "?which=b"), (Which.GAP, "应配未配", "?")],
        "offices": [(1, "大沁他拉所"), (2, "八仙筒所")], "lines": [("1", "食品生产"), ("2", "食品销售")],
        "kinds": [("学校食堂", "学校食堂")], "areas": [(1, "大沁他拉镇")], "today": DAY, "may_export": True,
    }  # fmt: skip


def report() -> dict[str, Any]:
    year = N(name="year", label="年份", options=[("2026", "2026"), ("2025", "2025")], value="2026")
    people = (("包文斌", "12.0", "28.0"), ("李娜", "40.0", ""))
    rows = [[_cell(name, "/people/1"), _cell(hours), _cell(lacks)] for name, hours, lacks in people]
    return {"screen": N(title="培训学时", subtitle="2026 年", base="/training-hours/", may_export=True, total=2,
                        url=_url, tabs=[("全部", "?", True), ("不足", "?lack=1", False)],
                        figures=[("人数", 2), ("不足", 1)],
                        choices=[year],
                        rows=rows, heads=["人员", "已培训学时", "还差学时"], first=0, page=1, pages=1,
                        empty="没有人员。", foot=[_cell("合计"), _cell("52.0"), _cell("28.0")])}  # fmt: skip


def duplicates() -> dict[str, Any]:
    sides = [N(url="/enterprises/1", text="老王饭店", state="", facts=["91150525MA0NA0019A", "大沁他拉镇东街 1 号"]),
             N(url="/enterprises/2", text="奈曼旗老王饭店", state="停业", facts=["大沁他拉镇东街1号"])]  # fmt: skip
    line = N(sides=sides, reasons=["名称相近", "地址相同"], note="", merge_url="/enterprises/1/merge/2",
             distinct_url="/enterprises/1/distinct/2")  # fmt: skip
    return {"title": "疑似重复", "tabs": [("Enterprise", "主体", "?of=Enterprise"), ("Site", "经营场所", "?of=Site")],
            "of": "Enterprise", "dismissed": False, "lines": [line], "total": 1, "most": 500, "page": 1, "pages": 1,
            "url": _url, "census": None}  # fmt: skip


def _part(label: str, total: int, lacking: int, step: Any = None) -> dict[str, Any]:
    return {"part": label, "key": label, "label": label, "help": "登记辖区里的主体和经营场所。", "total": total,
            "open": lacking, "lacking_url": "/enterprises/?gaps=any", "bring_url": "/enterprises/import", "step": step,
            "by": "苏日娜", "day": "今天"}  # fmt: skip


def takeover() -> dict[str, Any]:
    parts = [_part("主体", 98, 0), _part("企业人员", 98, 6), _part("监管责任人", 98, 10, N(note="等新人到岗"))]
    return {"title": "接管向导", "unit": N(name="大沁他拉所"), "base": "/takeover/10", "lines": parts,
            "wrong": "企业人员", "error": "还有 6 条没有补齐，请写明原因。", "note": "", "longest": 200,
            "may_do": True, "may_undo": True, "crumbs_of": []}  # fmt: skip


def firm_file() -> dict[str, Any]:
    parts = [("basics", "基本情况"), ("people", "人员"), ("checks", "日管控")]
    first = field("date_from", "自", "date", value="2026-01-01", required=True)
    which = field("parts", "包括哪些内容", "checks", choices=parts, values=["basics", "people"], wide=True)
    crumbs = [("主体", "/enterprises/"), ("老王饭店", "/enterprises/1")]
    return {"title": "打印一企一档：老王饭店", "action": "/enterprises/1/file.pdf", "fields": [first, which],
            "errors": [], "cancel_url": "/enterprises/1", "crumbs_of": crumbs}  # fmt: skip


def takeover_stations() -> dict[str, Any]:
    found = [N(total=98, open=6, step=None), N(total=98, open=0, step=N(note=""))]
    return {"title": "接管向导", "parts": ["主体", "企业人员"], "lines": [(N(id=10, name="大沁他拉所"), found)],
            "base": "/takeover"}  # fmt: skip


def merging() -> dict[str, Any]:
    address = N(name="address", label="住所", yours="大沁他拉镇东街 1 号", theirs="东街1号", choice="mine")
    reason = field("reason", "原因", "long", required=True, maxlength=200, wide=True)
    return {"screen": N(title="合并主体", crumbs=[], errors=[], action="/enterprises/1/merge/2", versions=(3, 1),
                        swap_url="/enterprises/2/merge/1", kept="老王饭店", kept_url="/enterprises/1",
                        gone="奈曼旗老王饭店", gone_url="/enterprises/2", fields=[address], moves=[("经营场所", 1)],
                        reason=reason, cancel_url="/enterprises/1")}  # fmt: skip


def one_day() -> dict[str, Any]:
    columns = [N(name=name, label=name, align=None, sort_url=None, sorted=None, hide_on_phone=False)
               for name in ("职责", "姓名")]  # fmt: skip
    row = N(key="1", url=None, title="包建国", cells=[_cell("主管"), _cell("包建国")], menu=[])
    tables = [N(label="监管责任人", columns=columns, rows=[row], empty_text=""),
              N(label="企业责任人", columns=columns, rows=[], empty_text="没有看到。")]  # fmt: skip
    return {"title": "当日责任人", "crumbs_of": [], "typed": "2026-11-20", "today": "2026-11-24", "error": "",
            "tables": tables, "day": "11月20日", "lacking": ["食品安全总监"]}  # fmt: skip


FIRM_PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "ledger": ("ledger.html", ledger()),
    "report": ("report.html", report()),
    "duplicates": ("duplicates.html", duplicates()),
    "takeover": ("takeover.html", takeover()),
    "takeover-stations": ("takeover_stations.html", takeover_stations()),
    "firm-file": ("entity/firm_file.html", firm_file()),
    "merge": ("entity/merge.html", merging()),
    "day": ("entity/day.html", one_day()),
}
