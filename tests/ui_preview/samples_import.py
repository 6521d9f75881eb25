"""Samples of the pages that follow an upload: which column is which, what a trial found, what was written."""

from types import SimpleNamespace as N
from typing import Any

BASE = "/enterprises/import/x"
CRUMBS = [("主体", "/enterprises/"), ("导入", "/enterprises/import")]
FIELDS = [
    ("name", "名称", True),
    ("code", "统一社会信用代码", False),
    ("legal_person", "法定代表人（负责人）", True),
    ("phone", "联系电话", False),
    ("address", "地址", True),
]
COLUMNS = [
    ("A", "单位名称", "name", ["大沁他拉镇老白烤肉店", "八仙筒镇国庆超市", "青龙山镇中心幼儿园食堂"]),
    ("B", "信用代码", "code", ["91150525MA0000001X", "", "12150525MB1111111Y"]),
    ("C", "负责人", "legal_person", ["白国庆", "李秀英", "王海山"]),
    ("D", "", "", ["", "已核", ""]),
    ("E", "经营地址（以许可证为准）", "address", ["奈曼旗大沁他拉镇中心街 12 号临街一层", "八仙筒镇", "青龙山镇"]),
]


def _columns(error: str = "") -> dict[str, Any]:
    return {
        "title": "对应列：2026 年主体台账（各所汇总）.xlsx",
        "error": error,
        "crumbs": CRUMBS,
        "state": N(text="已上传", tone="neutral"),
        "action": f"{BASE}/columns",
        "columns": [
            N(letter=letter, heading=heading, field=field, samples=samples, place=place)
            for place, (letter, heading, field, samples) in enumerate(COLUMNS)
        ],
        "sheets": ["台账", "说明"],
        "sheet": "台账",
        "row": 2,
        "rows": [(1, "奈曼旗食品经营单位台账"), (2, "单位名称｜信用代码｜负责人｜经营地址")],
        "erase": False,
        "fields": FIELDS,
        "missing": ["联系电话"],
    }


def _result(**more: Any) -> dict[str, Any]:
    problem = N(row=7, column="B", label="统一社会信用代码", text="校验码不对，请核对。", kind="error")
    doubt = N(row=12, column="A", label="名称", text="与“老白烤肉店”同名，可能是同一家。", kind="doubt")
    plain = {
        "title": "导入：2026 年主体台账（各所汇总）.xlsx",
        "error": "",
        "crumbs": CRUMBS,
        "state": N(text="已试导入", tone="info"),
        "action": BASE,
        "run": N(made=12, changed=3, same=40, wrong=1),
        "tried": True,
        "there": True,
        "counts": [("新建", 12, "success"), ("修改", 3, "info"), ("不变", 40, "neutral"), ("有误", 1, "danger")],
        "problems": [problem, N(row=9, column="", label="", text="整行没有内容。", kind="error")],
        "doubts": [doubt],
        "most": 2,
        "bad": 1,
        "all_doubts": 5,
        "problem_count": 3,
        "able": True,
        "checked_url": f"{BASE}/checked.xlsx",
        "columns_url": f"{BASE}/columns",
        "discard_url": f"{BASE}/discard",
        "undo_url": None,
        "undone": False,
        "half": "",
        "go_on": False,
        "left": [],
        "skip_bad": False,
        "accept": False,
        "done_at": "",
        "job": None,
        "again_url": None,
        "written": None,
        "rows": {
            "kinds": [("全部", 2, f"{BASE}#rows", True), ("修改", 1, f"{BASE}?only=changed#rows", False)],
            "rows": [
                {
                    "row": 3,
                    "word": "修改",
                    "tone": "info",
                    "url": "/f/1",
                    "text": "老白烤肉店",
                    "diff": [("住所", "东街 1 号", "西街 2 号")],
                },
                {"row": 4, "word": "新建", "tone": "success", "url": None, "text": "小罗川肉食店", "diff": []},
            ],
            "most": 300,
            "cut": False,
        },
    }
    return plain | more


_NOTHING = {"problems": [], "doubts": [], "bad": 0, "all_doubts": 0, "problem_count": 0, "able": False, "tried": False,
            "checked_url": None, "discard_url": None}  # fmt: skip
IMPORTS: dict[str, tuple[str, dict[str, Any]]] = {
    "import-columns": ("entity/import_columns.html", {"screen": _columns()}),
    "import-columns-refused": ("entity/import_columns.html", {"screen": _columns("两列都导入为“名称”，请改一列。")}),
    "import-tried": ("entity/import_result.html", {"screen": _result()}),
    "import-refused": ("entity/import_result.html", {"screen": _result(error="请先勾选“已核对”，再写入。")}),
    "import-done": (
        "entity/import_result.html",
        {
            "screen": _result(
                **_NOTHING,
                state=N(text="已写入", tone="success"),
                done_at="今天 09:12",
                undo_url=f"{BASE}/undo",
            )
        },
    ),
    "import-stopped": (
        "entity/import_result.html",
        {
            "screen": _result(
                **_NOTHING,
                state=N(text="写入中", tone="warning"),
                half="写到一半停下了，已写入 200 条。请接着写入，或者撤销。",
                go_on=True,
                undo_url=f"{BASE}/undo",
            )
        },
    ),
    "import-undone": (
        "entity/import_result.html",
        {
            "screen": _result(
                **_NOTHING,
                state=N(text="已撤销", tone="neutral"),
                undone=True,
                left=[
                    N(id=7, url="/enterprises/7", text="八仙筒镇国庆超市", why="之后被改过"),
                    N(id=9, url=None, text="", why="已不在"),
                ],
            )
        },
    ),
}
