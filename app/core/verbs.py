"""The one enum of what can be done to a row."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """Generic acts, then one a workflow transition."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    EXPORT = "export"
    IMPORT = "import"
    PRINT = "print"
    ACTIVATE = "activate"  # open the account of a firm's person, print the card that begins it
    REVEAL = "reveal"  # see a masked column in full
    COMPLETE = "complete"
    SUBMIT = "submit"
    REVIEW = "review"
    RETURN = "return"
    SIGN = "sign"
    SERVE = "serve"
    REVOKE = "revoke"
    VOID = "void"
    CONFIRM = "confirm"
    END = "end"
    SEAL = "seal"  # keep from all but those put to it, until it opens
    OPEN = "open"
    TRANSFER = "transfer"  # propose to give the row to another office


WRITES = frozenset(Verb) - {Verb.READ, Verb.EXPORT, Verb.PRINT, Verb.REVEAL}

VERB_WORDS: dict[str, str] = {
    Verb.READ: "查看", Verb.EXPORT: "导出", Verb.REVEAL: "查看全文",
    Verb.CREATE: "新建", Verb.UPDATE: "修改", Verb.DELETE: "删除", Verb.SUBMIT: "提交", Verb.REVIEW: "审核通过",
    Verb.RETURN: "退回", Verb.SIGN: "签发", Verb.SERVE: "送达", Verb.VOID: "作废", Verb.REVOKE: "撤销",
    Verb.SEAL: "封存", Verb.OPEN: "启封",
    Verb.COMPLETE: "完成", Verb.CONFIRM: "确认", Verb.PRINT: "生成文书", Verb.IMPORT: "导入", Verb.END: "结束",
    Verb.ACTIVATE: "开通账号", Verb.TRANSFER: "提出移交",
}  # fmt: skip
