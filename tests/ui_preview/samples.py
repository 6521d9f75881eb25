"""Contexts as the application hands them to the templates: plain data, every attribute there, None if absent."""

from types import SimpleNamespace as N
from typing import Any

from app.core.checklist_screen import Ask, CheckChoice, CheckItem
from tests.ui_preview.samples_firms import FIRM_PAGES
from tests.ui_preview.samples_forms import field
from tests.ui_preview.samples_import import IMPORTS

FIRMS = [
    (
        "内蒙古蒙东牧源肉类食品加工有限责任公司奈曼旗大沁他拉镇分公司",
        "91150525MA0N3K7Q2X",
        "生产",
        "大沁他拉市场监管所",
    ),
    ("奈曼旗八仙筒镇福满家生活超市（个体工商户）", "92150525MA0P8T4R1C", "销售", "八仙筒市场监管所"),
    ("奈曼旗青龙山镇中心校食堂", "12150525461302518J", "餐饮", "青龙山市场监管所"),
    ("通辽市奈曼旗老味道炭火烤肉店", "92150525MA13H6QY7L", "餐饮", "大沁他拉市场监管所"),
    ("奈曼旗固日班花苏木牧民合作社奶制品加工坊", "93150525MA0NAB2D4E", "生产", "固日班花市场监管所"),
]
STATES = [("待送达", "warning"), ("整改中", "info"), ("已逾期", "danger"), ("已办结", "success"), ("草稿", "neutral")]


def cell(text: str | None, kind: str = "text", **more: Any) -> N:
    return N(**{"kind": kind, "text": text, "title": None, "url": None, "tone": None, **more})


def column(label: str, name: str = "", **more: Any) -> N:
    return N(
        **{
            "name": name or label,
            "label": label,
            "align": None,
            "sort_url": None,
            "sorted": None,
            "hide_on_phone": False,
            **more,
        }
    )


def tile(name: str, thumb: str = "", **more: Any) -> N:
    blank = {"original": "/f/1/download" if thumb else "", "note": "2.4 MB 斯琴 11月20日 10:05", "title": "SHA-256 5f"}
    return N(**{**blank, "id": name, "name": name, "url": "/f/1", "thumb": thumb, "removed": False, **more})


def filebox(**more: Any) -> N:
    return N(
        **{
            "label": "现场照片和材料",
            "help": "完成检查以后不能再加、再删。",
            "token": "t" * 27,
            "accept": ".jpg,.pdf",
            "upload_url": "/uploads/x",
            "most": 20,
            "stored": [tile("冷库.jpg", "/static/favicon.svg")],
            "pending": [tile("台账.xlsx")],
            "errors": [],
            **more,
        }
    )


def fact(label: str, c: N | str | None, wide: bool = False) -> N:
    return N(label=label, cell=c if isinstance(c, N) else cell(c), wide=wide)


def nav(active: str = "责令改正") -> list[N]:
    groups = [
        ("今天", [("今天", "home", 0)]),
        ("主体", [("企业", "building", 0), ("经营场所", "shop", 0), ("许可证", "book", 3), ("人员任职", "people", 0)]),
        ("检查", [("检查记录", "inspect", 4), ("双随机抽查", "layers", 0), ("检查计划", "calendar", 0)]),
        ("责令改正", [("责令改正", "notice", 12), ("整改报告", "file", 2), ("复查", "undo", 0), ("送达", "send", 5)]),
        ("统计", [("台账", "chart", 0), ("报送", "upload", 0)]),
        ("设置", [("机构", "map", 0), ("任职与权限", "key", 0), ("参数", "settings", 0)]),
    ]
    return [
        N(
            label=g,
            items=[
                N(label=label, url=f"/{label}/", icon=icon, active=label == active, count=count or None)
                for label, icon, count in items
            ],
        )
        for g, items in groups
    ]


def shell(**more: Any) -> dict[str, Any]:
    me = N(
        key="7",
        name="包建国",
        username="suo-a",
        post="所长",
        office="大沁他拉市场监管所",
        signout_url="/logout/",
        password_url="/password/",
        abilities_url="/accounts/4/abilities",
        sessions_url="/sessions/",
        second_factor_url="/second-factor/",
        jobs_url="/jobs/",
    )
    return {
        "lang": "zh-CN",
        "switch_lang_url": "/lang/en",
        "nav": nav(),
        "me": me,
        "bell": {"count": 3, "text": "3", "url": "/messages/"},
        "printed_at": "2026-11-24 09:30",
        "search_url": "/search",
        "query": "",
        "flashes": [],
        "demo": False,
        "product": "守责",
        "home_url": "/",
        "login_url": "/login/",
        "bureau": "奈曼旗市场监督管理局",
        **more,
    }


NOTICE_COLUMNS = [
    column("单位", sort_url="?s=name"),
    column("文号", sort_url="?s=no", sorted="desc"),
    column("状态"),
    column("条线"),
    column("监管所", hide_on_phone=True),
    column("改正期限", sort_url="?s=due"),
    column("问题", align="right"),
    column("承办人"),
    column("签发日期", sort_url="?s=at", hide_on_phone=True),
]


def notice_rows(count: int) -> list[N]:
    rows = []
    for i in range(count):
        name, _, line, office = FIRMS[i % 5]
        state, tone = STATES[i * 3 % 5]
        draft = state == "草稿"
        rows.append(
            N(
                url=f"/notices/{i}",
                key=i + 1,
                title=name,
                cells=[
                    cell(name),
                    cell(None if draft else f"奈市监责改〔2026〕{118 - i}号", "code"),
                    cell(state, "state", tone=tone),
                    cell(line),
                    cell(office),
                    cell(f"2026-12-{1 + i % 28:02d}", "date", tone="danger" if tone == "danger" else None),
                    cell(str(1 + i * 7 % 12), "number"),
                    cell("包建国、斯琴"),
                    cell(None if draft else f"2026-11-{1 + i % 22:02d}", "date"),
                ],
            )
        )
    return rows


def box(name: str, label: str, kind: str, **more: Any) -> N:
    blank: dict[str, Any] = {"value": "", "value_to": "", "input": "text", "choices": [], "values": [], "on": False}
    return N(**{**blank, "name": name, "label": label, "kind": kind, "lookup_url": "/lookup", **more})


def kept(label: str, url: str, **more: Any) -> N:
    blank: dict[str, Any] = {"active": False, "key": 7, "shared": False, "default": False, "removable": False}
    return N(**{**blank, "label": label, "url": url, "text": "状态：整改中；条线：餐饮", **more})


def listing(**more: Any) -> N:
    base = {
        "title": "责令改正通知书",
        "entity": "notice",
        "description": "要求单位改正违法行为的文书，从起草到办结。",
        "columns": NOTICE_COLUMNS,
        "rows": notice_rows(25),
        "filters": [
            box(
                "state",
                "状态",
                "several",
                choices=[("整改中", "整改中"), ("已逾期", "已逾期")],
                values=["整改中"],
                on=True,
            ),
            box("lines", "条线", "several", choices=[("1", "生产"), ("2", "销售"), ("4", "餐饮")]),
            box("site", "经营场所", "lookup", value="7", values=["7"], choices=[("7", "青龙山镇中心校食堂")], on=True),
            box("signed_at", "签发时间", "range", input="date", value="2026-11-01", on=True),
            box("count", "问题", "range", input="number", value_to="12", on=True),
            box("who", "承办人", "text"),
        ],
        "saved": [
            kept("全部", "?all=1", key=None),
            kept("整改中的餐饮", "?state=整改中&lines=4", active=True, default=True, removable=True),
            kept("本周到期", "?deadline_to=2026-11-29", key=8, shared=True),
        ],
        "keep": [("size", "50")],
        "arguments": "state=整改中",
        "found": 0,
        "can_save": True,
        "can_share": True,
        "base_url": "/notices",
        "export_url": "/notices/export?state=整改中",
        "import_url": None,
        "bulk": [
            N(name="submit", label="提交审核", kind="primary"),
            N(name="discard", label="作废草稿", kind="danger"),
        ],
        "editable": True,
        "query": "",
        "active_filters": [N(label="状态：整改中", remove_url="?")],
        "add_url": "/notices/add",
        "add_label": "起草通知书",
        "pager": N(
            first=26,
            last=50,
            total_text="共 1,000 多份",
            page=2,
            prev_url="?page=1",
            next_url="?page=3",
            sizes=[(25, "?n=25", True), (50, "?n=50", False), (100, "?n=100", False)],
            hint="列表到此为止，请用筛选缩小范围。",
            pages=0,
            whole=False,
            all_url="?print=all",
        ),
        "empty": N(
            text="还没有责令改正通知书", hint="检查里发现问题后，可以从检查记录直接起草。", add_url="/notices/add"
        ),
    }
    return N(**{**base, **more})


def show(**more: Any) -> N:
    finding = [
        column("问题"),
        column("依据"),
        column("严重程度"),
        column("改正要求", hide_on_phone=True),
        column("期限"),
    ]
    base = {
        "title": "责令改正通知书 · 内蒙古蒙东牧源肉类食品加工有限责任公司奈曼旗大沁他拉镇分公司",
        "state": N(text="整改中", tone="info"),
        "crumbs": [("责令改正", "/notices/"), ("大沁他拉市场监管所", "/notices/?o=1"), ("〔2026〕118号", None)],
        "sections": [
            N(
                label="基本情况",
                facts=[
                    fact("文号", cell("奈市监责改〔2026〕118号", "code")),
                    fact("签发日期", cell("2026-11-20", "date")),
                    fact("单位", cell(FIRMS[0][0], "link", url="/firms/1"), True),
                    fact("统一社会信用代码", cell(FIRMS[0][1], "code")),
                    fact("条线", "生产"),
                    fact("承办人", "包建国（15050012）、斯琴（15050047）"),
                    fact("改正期限", cell("2026-12-05（还有 12 天）", "date", tone="warning")),
                    fact("需要复查", cell("是", "flag", tone="info")),
                    fact("附件", None),
                    fact(
                        "违法事实",
                        "冷库内存放的 3 批次冷鲜羊肉无动物检疫合格证明；\n"
                        "原料验收记录 11 月 8 日至 14 日缺失，食品安全员未落实日管控制度。",
                        True,
                    ),
                ],
            ),
            N(
                label="送达",
                facts=[
                    fact("送达方式", "直接送达"),
                    fact("送达时间", cell("2026-11-20 16:42", "date")),
                    fact("收件人", "白玉山（食品安全总监）"),
                    fact("电话", cell("138****2071", "code")),
                ],
            ),
        ],
        "children": [
            N(
                label="改正事项",
                columns=finding,
                rows=[
                    N(
                        url=f"/c/{i}",
                        title="",
                        cells=[
                            cell(t),
                            cell("《食品安全法》第五十三条"),
                            cell(s, "state", tone=tone),
                            cell("补齐进货查验记录，保存期限不少于产品保质期满后六个月"),
                            cell("2026-12-05", "date"),
                        ],
                    )
                    for i, (t, s, tone) in enumerate(
                        [
                            ("未查验供货者许可证和产品合格证明", "严重", "danger"),
                            ("日管控记录缺失 7 天", "一般", "warning"),
                            ("更衣室与加工间之间的门敞开", "轻微", "neutral"),
                        ]
                    )
                ],
                add_url="/c/add",
                add_label="增加事项",
                empty_text=None,
            ),
            N(label="延期申请", columns=[], rows=[], add_url=None, add_label=None, empty_text="没有申请过延期。"),
        ],
        "documents": [
            N(
                title="责令改正通知书",
                number="奈市监责改〔2026〕118号",
                url="/d/1",
                state=N(text="已签发", tone="success"),
                at="2026-11-20",
            ),
            N(title="送达回证", number=None, url="/d/2", state=N(text="正在生成", tone="info"), at="2026-11-20"),
        ],
        "history": [
            N(
                at="2026-11-20 16:42",
                who="斯琴（监管员）",
                what="登记送达",
                reason=None,
                changes=[
                    N(field="状态", old="待送达", new="整改中"),
                    N(field="送达时间", old=None, new="2026-11-20 16:42"),
                ],
            ),
            N(at="2026-11-20 10:05", who="包建国（所长）", what="签发", reason="事实清楚，同意签发。", changes=[]),
            N(at="2026-11-19 17:31", who="斯琴（监管员）", what="提交审批", reason=None, changes=[]),
            N(at="2026-11-19 15:02", who="斯琴（监管员）", what="起草", reason=None, changes=[]),
        ],
        "actions": [
            N(label="登记整改报告", url="/t/1", kind="primary", method="get", confirm=None),
            N(label="准予延期", url="/t/2", kind="plain", method="post", confirm="准予延期到 2026-12-20？"),
            N(label="作废", url="/t/3", kind="danger", method="get", confirm=None),
        ],
        "files": [tile("现场照片一.jpg", "/static/favicon.svg"), tile("检验报告.pdf")],
        "files_label": "证据材料",
        "history_url": "/notices/1/history?before=3",
        "access_url": "/notices/1/access",
        "edit_url": "/notices/1/edit",
        "delete_url": "/notices/1/delete",
        "notice": N(text="改正期限还有 12 天。到期没有收到整改报告，系统会提醒承办人和所长。", tone="warning"),
        "why": "您任大沁他拉市场监管所所长（2025-03-01 起），任职范围含本所及以下，可以看、签发和作废本所的通知书。",
        "steps": [
            N(label="起草", state="done", who="斯琴", at="11-19"),
            N(label="审批", state="done", who="包建国", at="11-20"),
            N(label="签发", state="done", who="包建国", at="11-20"),
            N(label="送达", state="done", who="斯琴", at="11-20"),
            N(label="整改", state="now", who=None, at="12-05 到期"),
            N(label="复查", state="todo", who=None, at=None),
            N(label="办结", state="todo", who=None, at=None),
        ],
    }
    return N(**{**base, **more})


def correction(n: str, demand: str | None, bad: bool = False) -> list[N]:
    p = f"corrections-{n}-"
    return [
        field(
            p + "demand",
            "改正要求",
            "textarea",
            value=demand,
            required=True,
            wide=True,
            rows=1,
            errors=["请写明要求改正的内容。"] if bad else [],
            maxlength=500,
        ),
        field(
            p + "clause",
            "依据",
            "lookup",
            value="53" if demand else None,
            lookup_text="《食品安全法》第五十三条" if demand else None,
            lookup_url="/lookup",
        ),
        field(p + "grade", "严重程度", "select", value="2", choices=[("1", "轻微"), ("2", "一般"), ("3", "严重")]),
        field(p + "due", "期限", "date", value="2026-12-05" if demand else None, required=True),
    ]


def form(**more: Any) -> N:
    rows = N(
        id="corrections",
        name="corrections",
        label="改正事项",
        help="一行一项。删除的行保存后才真正去掉。",
        add_label="增加一项",
        fields=correction("0", None),
        min=1,
        max=20,
        rows=[
            N(
                id="11",
                fields=correction("0", "停止使用未经检疫的羊肉，封存 3 批次产品并报告数量"),
                errors=[],
                removed=False,
            ),
            N(id="12", fields=correction("1", None, bad=True), errors=[], removed=False),
            N(id="13", fields=correction("4", "更衣室加装自动闭门器"), errors=[], removed=True),
        ],
        template=N(fields=correction("__n__", None)),
    )
    base = {
        "title": "起草责令改正通知书",
        "action": "",
        "submit_label": "提交审批",
        "cancel_url": "/notices/",
        "version": 3,
        "conflict": None,
        "warnings": [],
        "extra_submits": [N(name="save", value="draft", label="存为草稿")],
        "errors": [
            N(field_id="due", label="改正期限", text="不能早于签发日期。"),
            N(field_id="corrections-1-demand", label="改正事项第 2 行", text="请写明要求改正的内容。"),
        ],
        "sections": [
            N(
                label="对谁",
                help="从检查记录带来的内容不用再填。",
                rows=[],
                fields=[
                    field(
                        "firm",
                        "单位",
                        "lookup",
                        value="1",
                        lookup_text=FIRMS[0][0],
                        lookup_url="/lookup",
                        required=True,
                        wide=True,
                        help="输入名称、拼音首字母或信用代码",
                    ),
                    field("code", "统一社会信用代码", "static", value=FIRMS[0][1]),
                    field(
                        "line",
                        "条线",
                        "radio",
                        value="生产",
                        choices=[("生产", "生产"), ("销售", "销售"), ("餐饮", "餐饮")],
                        required=True,
                    ),
                    field(
                        "phone",
                        "联系电话",
                        "tel",
                        value="13848752071",
                        autocomplete="tel",
                        inputmode="tel",
                        maxlength=20,
                    ),
                ],
            ),
            N(
                label="事实和依据",
                help=None,
                rows=[],
                fields=[
                    field(
                        "facts",
                        "违法事实",
                        "textarea",
                        value="冷库内存放的 3 批次冷鲜羊肉无动物检疫合格证明。",
                        required=True,
                        rows=4,
                        maxlength=2000,
                        help="写明时间、地点、什么人、什么行为",
                    ),
                    field("due", "改正期限", "date", value="2026-11-01", required=True, errors=["不能早于签发日期。"]),
                    field("seen", "检查时间", "datetime", value="2026-11-19T09:30"),
                    field("weight", "涉及数量（千克）", "number", value="120.5", warning="比上次检查多三倍，请核对。"),
                    field(
                        "style",
                        "检查方式",
                        "select",
                        value="2",
                        choices=[("", "请选择"), ("1", "日常检查"), ("2", "双随机抽查")],
                    ),
                    field(
                        "office", "承办机构", "select", value="1", readonly=True, choices=[("1", "大沁他拉市场监管所")]
                    ),
                    field(
                        "tags",
                        "涉及环节",
                        "checks",
                        values=["1", "3"],
                        choices=[("1", "原料验收"), ("2", "生产加工"), ("3", "贮存"), ("4", "运输")],
                        wide=True,
                    ),
                    field("photos", "现场照片", "file", accept="image/*", wide=True),
                    field("recheck", "到期后需要现场复查", "checkbox", value=True),
                    field("secret", "隐藏", "hidden", value="x"),
                ],
            ),
            N(label="改正事项", help=None, fields=[], rows=[rows]),
        ],
    }
    return N(**{**base, **more})


def plain_form() -> N:
    plain = clean_form()
    plain.conflict, plain.warnings = None, []
    return plain


def files_form(files: N) -> N:
    made = plain_form()
    made.files = files
    return made


def clean_form() -> N:
    clean = form(
        errors=[],
        title="编辑责令改正通知书",
        warnings=[
            N(
                name="ack-dup",
                label="这家单位 15 天前收到过一份通知书",
                text="〔2026〕97号还在整改中，确认要另发一份？",
                checked=False,
            )
        ],
        conflict=N(
            text="您打开之后，这条记录已被别人改过。请逐项选择采用哪一个，再保存。",
            who="斯琴",
            at="10:42",
            fields=[
                N(name="deadline", label="改正期限", theirs="2026-12-05", yours="2026-12-10", choice=""),
                N(name="contact_phone", label="联系电话", theirs=None, yours="13848752071", choice="mine"),
            ],
        ),
    )
    for section in clean.sections:
        for f in section.fields:
            f.errors = []
    return clean


def tasks() -> list[N]:
    def items(n: int, *states: tuple[str, str]) -> list[N]:
        return [
            N(
                text=FIRMS[i % 5][0],
                sub=f"〔2026〕{118 - i}号 · {FIRMS[i % 5][3]}",
                url=f"/n/{i}",
                state=states[i % len(states)][0],
                tone=states[i % len(states)][1],
                due=f"12-{1 + i:02d}",
            )
            for i in range(n)
        ]

    return [
        N(
            title="等您签发",
            count=3,
            tone="warning",
            url="/n?s=1",
            items=items(3, ("待签发", "warning")),
            empty_text="没有等您签发的文书。",
        ),
        N(
            title="已逾期",
            count=12,
            tone="danger",
            url="/n?s=2",
            items=items(5, ("逾期 3 天", "danger"), ("逾期 1 天", "danger")),
            empty_text="",
        ),
        N(title="待送达", count=2, tone="info", url="/n?s=3", items=items(2, ("待送达", "info")), empty_text=""),
        N(title="整改报告待审", count=0, tone=None, url="/n?s=4", items=[], empty_text="都审完了。"),
        N(
            title="今天的检查",
            count=4,
            tone="neutral",
            url="/i",
            items=items(4, ("未开始", "neutral"), ("进行中", "info")),
            empty_text="",
        ),
    ]


def found() -> list[N]:
    return [
        N(
            label="单位",
            url="/f?q=x",
            items=[
                N(
                    title=f[0],
                    sub=f"{f[1]} · {f[3]}",
                    url="/f/1",
                    state="正常" if i else "停业",
                    tone="success" if i else "warning",
                )
                for i, f in enumerate(FIRMS)
            ],
        ),
        N(
            label="责令改正通知书",
            url="/n?q=x",
            items=[N(title="奈市监责改〔2026〕118号", sub=FIRMS[0][0], url="/n/1", state="整改中", tone="info")],
        ),
    ]


def login(error: str | None = None) -> dict[str, Any]:
    def one(name: str, label: str) -> N:
        return N(
            id=name,
            name=name,
            label=label,
            value="suo-a" if name == "username" else None,
            errors=[],
            help=None,
            required=True,
            autocomplete=None,
        )

    return {
        "me": None,
        "form": N(username=one("username", "用户名"), password=one("password", "密码")),
        "error": error,
        "next": "/notices/",
        "card_url": "/activate/",
    }


def password() -> dict[str, Any]:
    def one(name: str, label: str, hint: str | None = None, errors: list[str] | None = None) -> N:
        return N(
            id=name,
            name=name,
            label=label,
            value=None,
            errors=errors or [],
            help=hint,
            required=True,
            autocomplete=None,
        )

    return {
        "form": N(
            old=one("old", "现在的密码", errors=["密码不对。"]),
            new=one("new", "新密码", "至少 12 个字符，不要用姓名、生日和单位电话。"),
            repeat=one("repeat", "再输一次新密码"),
        ),
        "error": None,
    }


SUMMARY = [
    fact("单位", FIRMS[0][0], True),
    fact("文号", cell("奈市监责改〔2026〕118号", "code")),
    fact("状态", cell("待审批", "state", tone="warning")),
]
STEP = {
    "title": "签发责令改正通知书",
    "text": "签发后编上文号，内容不能再改，并开始生成 PDF。",
    "submit_label": "签发",
    "kind": "primary",
    "cancel_url": "/n/1",
    "summary": SUMMARY,
    "fields": [
        field(
            "opinion",
            "审批意见",
            "textarea",
            required=True,
            rows=3,
            maxlength=500,
            value="事实清楚，证据确凿，同意签发。",
        ),
        field("signed", "签发日期", "date", value="2026-11-20", required=True),
        field("seal", "我已核对全文", "checkbox", required=True),
    ],
}
PAPER = {
    "title": "责令改正通知书",
    "number": "奈市监责改〔2026〕118号",
    "state": N(text="已签发", tone="success"),
    "pdf_url": "/sample.pdf",
    "download_url": "/sample.pdf?d",
    "sha256": "9f2c" * 16,
    "back_url": "/n/1",
    "pending": False,
    "status_url": "/pending",
}


def checklist_form() -> N:
    """A form of items to tick: one met, one not, one open with an error."""
    choices = [
        (CheckChoice("符合", "success"), "符合"),
        (CheckChoice("不符合", "danger", (Ask("note", "存在的问题"),)), "不符合"),
        (CheckChoice("不适用", "neutral", (Ask("reason", "不适用的理由"),)), "不适用"),
    ]
    boxes = [
        CheckItem("C02", "开餐前完成晨检", "带病上岗可引发疾病。", "重点", "符合"),
        CheckItem("C03", "操作前洗手", "", "", "不符合", {"note": "一人没洗手"}),
        CheckItem("C04", "索证索票齐全", errors=["还没有选择结果。"]),
    ]
    made = plain_form()
    items = field("answers", "检查项目", "checklist", boxes=boxes, options=choices)
    made.sections = [N(label="", help="", fields=[items], rows=[])]
    made.then = "submit"
    return made


PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "login": ("login.html", login()),
    "login-error": ("login.html", {**login("用户名或密码不对。连续错 5 次会锁 15 分钟。"), "demo": True}),
    "password": ("password.html", password()),
    "home": (
        "home.html",
        {
            "greeting": "上午好，包建国",
            "date_text": "2026 年 11 月 23 日，星期一",
            "tasks": tasks(),
            "nav": nav("今天"),
            "demo": True,
            "flashes": [
                ("success", "已登记送达：奈市监责改〔2026〕117号。"),
                ("danger", "送达回证没有生成，请稍后再试。"),
            ],
            "figures": [
                N(label=a, value=b, note=c, url=d)
                for a, b, c, d in [
                    ("在管单位", "1,284", "生产 96 · 销售 702 · 餐饮 486", "/f"),
                    ("本月检查", "143", "计划 180", "/i"),
                    ("整改中", "37", "其中逾期 12", "/n"),
                    ("按期改正率", "91.4%", "比上月高 2.1 个百分点", None),
                ]
            ],
        },
    ),
    "api": (
        "api.html",
        {
            "document_url": "/api/v1/openapi.json",
            "groups": [
                {
                    "label": "主体",
                    "lines": [
                        {"method": "GET", "path": "/api/v1/enterprises/", "text": "列出主体"},
                        {"method": "PATCH", "path": "/api/v1/enterprises/{key}", "text": "修改主体"},
                    ],
                }
            ],
        },
    ),
    "search": ("search.html", {"groups": found(), "query": "牧源"}),
    "search-none": ("search.html", {"groups": [], "query": "没有这家店"}),
    "error-403": (
        "error.html",
        {
            "code": 403,
            "heading": "您不能签发这份通知书",
            "text": "您能看到它，但起草人不能签发自己起草的文书。",
            "hints": ["请本所所长或副所长签发。", "如果您刚换了岗位，请系统管理员核对任职日期。"],
            "back_url": "/n/1",
        },
    ),
    "error-404": (
        "error.html",
        {
            "code": 404,
            "heading": "没有这一页",
            "text": "地址可能输错了，或者您的任职看不到它。",
            "hints": [],
            "back_url": None,
            "me": None,
            "nav": [],
        },
    ),
    "list": ("entity/list.html", {"screen": listing()}),
    "list-empty": ("entity/list.html", {"screen": listing(rows=[], pager=None, active_filters=[])}),
    "filters": (
        "entity/filters.html",
        {
            "screen": {
                "title": "常用筛选：责令改正通知书",
                "crumbs": [("责令改正通知书", "/notices/")],
                "filters": listing().saved[1:],
                "base_url": "/notices",
                "arguments": "state=整改中",
                "found": 0,
                "errors": ["最多 40 个字，现在 52 个。"],
                "name": "名字太长",
                "shared": True,
                "default": False,
                "can_share": True,
            }
        },
    ),
    "columns": (
        "entity/columns.html",
        {
            "screen": {
                "title": "选择列：责令改正通知书",
                "crumbs": [("责令改正通知书", "/notices/")],
                "columns": [(f"c{n}", c.label, n < 5) for n, c in enumerate(NOTICE_COLUMNS)],
                "action": "/notices/columns",
                "cancel_url": "/notices/",
                "errors": ["至少选一列。"],
            }
        },
    ),
    "bulk": (
        "entity/bulk.html",
        {
            "screen": {
                "title": "作废草稿：选中 5 条",
                "text": "文号保留不再使用，已生成的文书标为作废。",
                "crumbs": [("责令改正通知书", "/notices/")],
                "action": "/notices/bulk",
                "cancel_url": "/notices/",
                "act": "discard",
                "keys": [1, 2, 3, 4, 5],
                "kind": "danger",
                "submit_label": "作废草稿 5 条",
                "reason": field("reason", "理由", "textarea", required=True, wide=True, maxlength=500),
                "key": "abcdefghijklmnopqrstuvwxyz",
                "missing": 1,
                "seen": ["1.3", "2.1"],
                "rows": [
                    (firm[0], cell("草稿", "state", tone="neutral"), "" if n else "当前状态不能作废。")
                    for n, firm in enumerate(FIRMS[:4])
                ],
                "hindered": 1,
                "able": 3,
                "errors": [],
            }
        },
    ),
    "bulk-result": (
        "entity/bulk_result.html",
        {
            "screen": {
                "title": "作废草稿的结果",
                "crumbs": [("责令改正通知书", "/notices/")],
                "done": True,
                "went": 3,
                "results": [
                    N(
                        title=firm[0],
                        url=f"/notices/{n}",
                        went=n != 2,
                        why="现在是“待签发”，不能作废草稿。" if n == 2 else "",
                    )
                    for n, firm in enumerate(FIRMS[:4])
                ],
                "back_url": "/notices/",
            }
        },
    ),
    "show": ("entity/show.html", {"screen": show()}),
    "show-plain": (
        "entity/show.html",
        {
            "screen": show(
                title="八仙筒市场监管所",
                state=None,
                steps=[],
                children=[],
                documents=[],
                history=[],
                actions=[],
                notice=None,
                why=None,
                crumbs=[],
                delete_url=None,
                files=[],
                files_label="",
                history_url=None,
                access_url=None,
            )
        },
    ),
    "history": (
        "entity/history.html",
        {
            "screen": N(
                title="经过：通知书",
                crumbs=[("通知书", "/n/1")],
                events=show().history,
                older_url="/h",
                newest_url=None,
            )
        },
    ),
    "access": (
        "entity/access.html",
        {
            "screen": N(
                title="谁能看到：通知书",
                crumbs=[("通知书", "/n/1")],
                groups=[
                    N(
                        label="大沁他拉市场监管所",
                        people=[N(name="斯琴", title="监管员", does="查看、修改", why="本机构及下级机构的记录")],
                    )
                ],
                total=73,
                shown=50,
                sealed=True,
                why="您任所长",
            )
        },
    ),
    "form-files": ("entity/form.html", {"screen": files_form(filebox(errors=["x.html：不收这种文件。"]))}),
    "form-errors": ("entity/form.html", {"screen": form()}),
    "form": ("entity/form.html", {"screen": clean_form()}),
    "form-plain": ("entity/form.html", {"screen": plain_form()}),
    "form-checklist": ("entity/form.html", {"screen": checklist_form()}),
    "choose": (
        "entity/choose.html",
        {
            "screen": N(
                title="检查哪个场所",
                cancel_url="/d",
                action="/d/add",
                field=None,
                options=[
                    N(text="红阁快餐店", sub="光明街250号", url="/d/add?site=1", state="今天已提交"),
                    N(text="旺园饭店", sub="", url="/d/add?site=2", state=""),
                ],
            )
        },
    ),
    "choose-typed": (
        "entity/choose.html",
        {
            "screen": N(
                title="检查哪个场所",
                cancel_url="/d",
                action="/d/add",
                options=[],
                field=field("site", "经营场所", "lookup", lookup_url="/lookup"),
            )
        },
    ),
    "code": ("code.html", {"error": "动态口令不对。"}),
    "second-factor": (
        "second_factor.html",
        {
            "secret": "WRF4 BTIM ZQRG KNJ2 P3PW JLJL U3WJ YHOT",
            "qr": {"size": 29, "path": "M4 4h7v1h-7zM4 10h7v1h-7z"},
            "since": "11月2日 09:12",
            "left": 9,
            "must": False,
            "first": True,
            "ask": True,
            "error": "",
            "wrong": "动态口令不对，请看手机上现在的六位数字。",
        },
    ),
    "second-factor-none": (
        "second_factor.html",
        {
            "secret": "",
            "qr": None,
            "since": "",
            "left": 0,
            "must": True,
            "first": False,
            "ask": False,
            "wrong": "",
            "error": "密码不对。",
        },
    ),
    "recovery-codes": (
        "recovery_codes.html",
        {"codes": [f"{n}wm28-5xxm{n}" for n in range(10)], "username": "admin", "next": "/"},
    ),
    "activate": (
        "activate.html",
        {
            "who": {"name": "包*", "mobile": "139****0001", "posts": [("奈曼旗犇鑫餐饮管理有限公司", "食品安全员")]},
            "has_pin": False,
            "wrong": {"pin": "这个 PIN 太容易猜到：不要用连号、重复的数字、生日或手机号里的数字。"},
            "version": "2026-11",
            "own": "own",
            "agreed": True,
        },
    ),
    "activate-again": (
        "activate.html",
        {
            "who": {"name": "包*", "mobile": "139****0001", "posts": [("奈曼旗犇鑫餐饮管理有限公司", "食品安全员")]},
            "has_pin": True,
            "wrong": {"": "手机号或 PIN 不对。连错五次，这张激活卡作废。"},
            "version": "2026-11",
            "own": "own",
            "agreed": False,
        },
    ),
    "activate-code": ("activate_code.html", {"error": "没有这个激活码，请对照激活卡检查。"}),
    "phone": (
        "phone.html",
        {
            "who": {"name": "包*", "mobile": "139****0001", "posts": [("奈曼旗犇鑫餐饮管理有限公司", "食品安全员")]},
            "told": "",
            "error": "PIN 不对，还可以试 4 次。",
            "locked": False,
            "next": "/daily-checks/",
        },
    ),
    "signing-pin": (
        "signing_pin.html",
        {"kept": [("then", "submit")], "action": "/daily-checks/add", "field": "signing-pin", "wrong": ""},
    ),
    "activation": (
        "activation.html",
        {
            "state": "waiting",
            "states": [("没有账号", "?state=none", False), ("未激活", "?state=waiting", True)],
            "lines": [
                N(key=1, name="包文斌", mobile="139****0001", posts=[("奈曼旗犇鑫餐饮管理有限公司", "食品安全员")]),
                N(key=2, name="白海山", mobile="", posts=[("甲店", "主要负责人"), ("乙店", "食品安全总监")]),
            ],
            "total": 120,
            "offices": [(1, "大沁他拉所"), (2, "八仙筒所")],
            "wanted": N(office_id=1, firm="犇鑫"),
            "more": "?page=2",
            "no_accounts": False,
            "since": "2026-10-01",
        },
    ),
    "activation-sure": (
        "activation_sure.html",
        {"keys": [1, 2], "names": {1: "包文斌", 2: "白海山"}, "missing": 1},
    ),
    "once": (
        "once.html",
        {"account": N(name="王秀英", username="neiqin-a"), "password": "7h4v-pdyn-gmd7", "back": "/accounts/6"},
    ),
    "sessions": (
        "sessions.html",
        {
            "days": 30,
            "others": True,
            "sessions": [
                {
                    "agent": "Edge 126 · Windows",
                    "address": "10.1.2.3",
                    "kind": "密码",
                    "opened": "今天 08:31",
                    "seen": "今天 09:12",
                    "open": is_open,
                    "here": here,
                    "ending": "长时间没有操作",
                    "ended": "昨天 18:02",
                    "end_url": "/sessions/a/end",
                }
                for is_open, here in ((True, True), (True, False), (False, False))
            ],
        },
    ),
    "messages": (
        "messages.html",
        {
            "messages": [
                {
                    "title": "导出完成：主体",
                    "text": "2,345 条，保留 7 天。",
                    "url": "/jobs/",
                    "unread": True,
                    "at": "今天 09:12",
                    "open_url": "/messages/a/open",
                    "read_url": "/messages/a/read",
                },
                {
                    "title": "文书已生成",
                    "text": "",
                    "url": None,
                    "unread": False,
                    "at": "昨天 16:40",
                    "open_url": "/messages/b/open",
                    "read_url": "/messages/b/read",
                },
            ],
            "any_unread": True,
            "newer": None,
            "older": "?page=2",
        },
    ),
    "jobs": (
        "jobs.html",
        {
            "pending": True,
            "jobs": [
                {
                    "id": "a",
                    "title": "导出：检查记录",
                    "state": N(text="进行中", tone="info"),
                    "at": "今天 09:12",
                    "size": "",
                    "gone": False,
                    "until": "",
                    "error": "",
                    "open": True,
                    "progress": 40,
                    "url": None,
                    "cancel_url": "/jobs/a/cancel",
                    "page": None,
                },
                {
                    "id": "b",
                    "title": "导出：主体",
                    "state": N(text="完成", tone="success"),
                    "at": "昨天 16:40",
                    "size": "1.2 MB",
                    "gone": False,
                    "until": "12月1日",
                    "error": "",
                    "open": False,
                    "progress": 100,
                    "url": "/jobs/b/file",
                    "cancel_url": "/jobs/b/cancel",
                    "page": None,
                },
            ],
        },
    ),
    "import": (
        "entity/import.html",
        {
            "screen": {
                "title": "导入主体",
                "crumbs": [("主体", "/enterprises/")],
                "error": "",
                "keyed": False,
                "template_url": "/enterprises/import/template.xlsx",
                "action": "/enterprises/import",
                "most_mb": 20,
                "most_rows": 20000,
                "runs": [
                    N(
                        url="/enterprises/import/x",
                        name="台账.xlsx",
                        counts=[("新建", 12, "success"), ("错误", 1, "danger")],
                        state=N(text="已试导入", tone="info"),
                        at="今天 09:12",
                    )
                ],
            },
        },
    ),
    **FIRM_PAGES,
    **IMPORTS,
    "transition": ("entity/transition.html", {"screen": N(**STEP)}),
    "delete": (
        "entity/delete.html",
        {"screen": N(title="删除草稿", text="从没提交过的草稿才能删除。", summary=SUMMARY, cancel_url="/n/1")},
    ),
    "delete-no": (
        "entity/delete.html",
        {
            "screen": N(
                title="删除单位",
                text=None,
                summary=SUMMARY,
                cancel_url="/n/1",
                blockers=[("检查记录 3 条", "/i"), ("责令改正通知书 1 份", None)],
            )
        },
    ),
    "document": ("document.html", PAPER),
    "document-pending": (
        "document.html",
        {**PAPER, "pending": True, "pdf_url": None, "download_url": None, "sha256": None},
    ),
    "verify-genuine": (
        "verify.html",
        {
            "ok": "genuine",
            "number": "奈市监责改〔2026〕118号",
            "date": "2026-11-20",
            "title": "责令改正通知书",
            "me": None,
        },
    ),
    "verify-unknown": ("verify.html", {"ok": "unknown", "number": None, "date": None, "title": None, "me": None}),
}
