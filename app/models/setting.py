"""What the bureau must decide before a legal paper can be issued (domain §14): unconfirmed until a person says so."""

from __future__ import annotations

from dataclasses import dataclass

from app.core import setting
from app.data.enums import AppointmentRole


@dataclass(frozen=True)
class Wanted:
    """A setting: its key, name, what it is for, and what to propose."""

    key: str
    name: str
    help: str
    proposal: str


BUREAU = "bureau.name"
CODE = "number.code"
NOTICE_CODE = "number.notice"
REVIEW_BODY = "remedy.review_body"
COURT = "remedy.court"
ADDRESS = "contact.address"
PHONE = "contact.phone"
COMPLAINTS = "contact.complaints"
MONGOLIAN = "bureau.mongolian_title"
NOTICE_KEYS = (BUREAU, CODE, NOTICE_CODE, REVIEW_BODY, COURT, ADDRESS)
DEMO = setting.DEMO
CHECK_GRACE = "check.grace_days"
PASS_MARK = "exam.pass_mark"  # noqa: S105 - a mark one passes with, no password
STAND_IN_DAYS = "person.stand_in_days"
PASS_MARK_OF = {  # of a post; where it is not confirmed, PASS_MARK counts
    AppointmentRole.PRINCIPAL: "exam.pass_mark.principal",
    AppointmentRole.DIRECTOR: "exam.pass_mark.director",
    AppointmentRole.OFFICER: "exam.pass_mark.officer",
}
TRAINING_HOURS = "training.hours"
TRAINING_PART_YEAR = "training.part_year"
JOINING_DAYS = "self.joining_days"
YEARLY_DUE = "self.yearly_due"  # month and day of every year
DAYS = (YEARLY_DUE,)  # what is a month and a day
NUMBERS = {  # what is a number, from least to most
    CHECK_GRACE: (0, 30), PASS_MARK: (1, 100), STAND_IN_DAYS: (1, 60), TRAINING_HOURS: (1, 400),
    JOINING_DAYS: (1, 365),
    TRAINING_PART_YEAR: (0, 1), **dict.fromkeys(PASS_MARK_OF.values(), (1, 100)),
}  # fmt: skip

WANTED = (
    Wanted(BUREAU, "机关全称", "印在文书上的名称，须与印章一致。", "奈曼旗市场监督管理局"),
    Wanted(CODE, "机关代字", "文号的开头，例如“奈市监”或“通奈市监”。", "奈市监"),
    Wanted(NOTICE_CODE, "责令改正通知书文种代字", "接在机关代字之后。", "责改"),
    Wanted(REVIEW_BODY, "行政复议机关", "行政复议法第二十四条：本级人民政府。", "奈曼旗人民政府"),
    Wanted(
        COURT, "行政诉讼法院", "高级人民法院可能指定集中管辖（行政诉讼法第十八条第二款），请核实。", "奈曼旗人民法院"
    ),
    Wanted(ADDRESS, "联系地址", "印在文书上的本局地址。", ""),
    Wanted(PHONE, "联系电话", "起草时的默认联系电话。", ""),
    Wanted(COMPLAINTS, "投诉举报电话", "印在单位公示牌上；没有确认的，公示牌上留空。", ""),
    Wanted(CHECK_GRACE, "日检查记录补录期限（天）", "检查日过后几天内单位还可以自己补录；再晚的由监管所代录。", "1"),
    Wanted(PASS_MARK, "抽查考核合格线（百分制）", "2019 年对食品生产企业的通知为 90；其他单位的标准请核实。", "90"),
    Wanted(TRAINING_HOURS, "每年培训学时", "食品安全总监、食品安全员每人每年的学时（2025 年修正的《规定》）。", "40"),
    Wanted(TRAINING_PART_YEAR, "学时按在岗天数折算", "年中任职的：1 按在岗天数折算，0 不折算。", "1"),
    Wanted(STAND_IN_DAYS, "临时代班最长天数", "单位自己安排的代班连续不超过几天；更久的要报任命。", "7"),
    Wanted(JOINING_DAYS, "入网自查期限（天）", "主体登记后多少天内要提交入网的落实自查表。", "30"),
    Wanted(YEARLY_DUE, "年度自查截止日（月-日）", "每年的落实自查表最晚哪天提交，例如 12-31。", "12-31"),
    Wanted(MONGOLIAN, "蒙古文标题", "印在机关名称上方；不需要时不必确认。", ""),
    *(Wanted(key, f"抽查考核合格线：{role}", "这个岗位另有合格线时填写并确认；没有确认的按通用的合格线。", "")
      for role, key in PASS_MARK_OF.items()),
)  # fmt: skip
