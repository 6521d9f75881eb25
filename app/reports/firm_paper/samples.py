"""Contexts that show each of the five papers; a worker draws them once to be warm."""

from typing import Any

KINDS = ("letter", "director", "officer", "posts", "board")
RULE = "食品生产经营企业落实食品安全主体责任监督管理规定"


def sample(kind: str = "letter") -> dict[str, Any]:
    """A firm with three people."""
    tasks = ["日管控：每日按风险管控清单检查，形成《每日食品安全检查记录》；没有问题也记录，实行零风险报告。"]
    posts = [_post("主要负责人", "王建国", tasks), _post("食品安全总监", "", tasks), _post("食品安全员", "包䶮", tasks)]
    letter = {"person": "包䶮", "role": "食品安全员", "employment": "专职", "place": "", "document": "犇鑫〔2026〕3号",
              "date_from": "2026-01-05", "date_to": ""}  # fmt: skip
    points = [{"text": "检查食品安全管理制度执行情况，管理、保存食品安全过程记录。", "basis": "《规定》"}] * 9
    return {
        "kind": kind, "firm": "奈曼旗犇鑫餐饮管理有限公司", "code": "91150525MA0NA0019A",
        "made": "2026-11-24",
        "demo": False, "titles": ["中华人民共和国食品安全法", RULE], "short": RULE,
        "points": points[:1] if kind == "letter" else points,
        "letter": letter if kind == "letter" else None, "posts": posts, "left_out": 0,
        "columns": ["employment", "phone", "date_from"], "phone": "",
    }  # fmt: skip


def samples() -> list[dict[str, Any]]:
    """One of each kind."""
    return [sample(kind) for kind in KINDS]


def _post(role: str, name: str, tasks: list[str]) -> dict[str, Any]:
    told = {"employment": "兼职", "phone": "139****0001", "date_from": "2026-01-05"} if name else {}
    return {"role": role, "name": name, "employment": "", "phone": "", "date_from": "", "tasks": tasks, **told}
