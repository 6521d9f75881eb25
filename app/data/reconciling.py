"""Enumerations of reconciling with other systems' exports, and what people write for them there."""

from __future__ import annotations

from enum import StrEnum


class PlatformAccount(StrEnum):
    """平台账号: whether a firm or an inspector is on the region's 风控平台."""

    NONE = "未开通"
    OPENED = "已开通"


class Source(StrEnum):
    """The system that a file comes from."""

    PLATFORM = "食品安全风险防控平台"
    LICENSING = "许可系统"
    REGISTRATION = "登记注册系统"


class Extent(StrEnum):
    """What a file holds: everything there is, or what changed in a month."""

    FULL = "全量"
    CHANGES = "月度变动"


class Change(StrEnum):
    """What happened to a firm there, in a file of changes."""

    NEW = "新办"
    CHANGED = "变更"
    RENEWED = "延续"
    ENDED = "注销"


class Stage(StrEnum):
    """Where a comparison stands."""

    OPEN = "待对应"
    RUNNING = "比对中"
    DONE = "已比对"


class LineKind(StrEnum):
    """What a comparison found."""

    OURS_ONLY = "仅本系统有"
    THEIRS_ONLY = "仅对方有"
    DIFFERENT = "字段不同"
    UNCLEAR = "需人工选择"


class Matched(StrEnum):
    """By what a row of the file was found to be a firm of ours."""

    CODE = "按代码"
    LICENCE = "按许可证编号"
    NAME = "按名称和地址"
    CHOSEN = "人工选择"


class LineState(StrEnum):
    """What was decided about a line."""

    OPEN = "待处理"
    ADOPTED = "已采纳"
    KEPT = "保留本系统"
    CREATED = "已新增"
    ENDED = "已注销"
    IGNORED = "不处理"


# what the systems write instead of our words
CHANGE_WORDS = {
    "新增": Change.NEW, "新开办": Change.NEW, "首次": Change.NEW, "设立": Change.NEW, "换证": Change.CHANGED,
    "延期": Change.RENEWED, "吊销": Change.ENDED, "歇业": Change.ENDED, "撤销": Change.ENDED,
    **{str(one): one for one in Change},
}  # fmt: skip
OPENED_WORDS = {
    "未开通": PlatformAccount.NONE, "未注册": PlatformAccount.NONE, "未激活": PlatformAccount.NONE,
    "否": PlatformAccount.NONE, "无": PlatformAccount.NONE, "已开通": PlatformAccount.OPENED,
    "开通": PlatformAccount.OPENED, "已注册": PlatformAccount.OPENED, "已激活": PlatformAccount.OPENED,
    "正常": PlatformAccount.OPENED, "是": PlatformAccount.OPENED, "有": PlatformAccount.OPENED,
}  # fmt: skip
WITHOUT_END = ("长期", "长期有效", "永久", "无固定期限")
# what is compared, and what it is called
FIELDS = {
    "name": "名称",
    "code": "统一社会信用代码",
    "address": "住所或经营地址",
    "legal_person": "法定代表人",
    "phone": "联系电话",
    "licence_no": "许可证编号",
    "licence_until": "许可有效期至",
    "platform_account": "平台账号",
}
