"""Passwords of regulators: scrypt, at least ten characters, none that a list of common ones leads to."""

from __future__ import annotations

import re

from flask import current_app
from flask_babel import gettext as _
from werkzeug.security import check_password_hash, generate_password_hash

from app.core.pinyin import search_key

SHORTEST = 10
LONGEST = 200
READ = 72  # characters that the estimate looks at; its work grows with the square of them
GUESSABLE = 2  # zxcvbn's marks run from 0 to 4; below this a list of common words and patterns is enough
PRIVATE_NUMBER = re.compile(r"1[3-9]\d{9}|\d{17}[\dxX]")  # a mobile, an identity card

# what the English lists do not know: pinyin phrases, keyboard walks and words of the trade that people here choose
CHINESE = (
    "woaini", "woaiwojia", "woaizuguo", "zhongguo", "wodemima", "mima", "nihao", "yishengyishi", "aini1314", "5201314",
    "1314520", "520520", "woaini1314", "woaini520", "wangluo", "dianhua", "zhanghao", "guanliyuan", "admin", "root",
    "1qaz2wsx", "1qaz@wsx", "1qazxsw2", "zaq12wsx", "qwe123", "qweasd", "qweasdzxc", "asd123", "zxc123", "q1w2e3r4",
    "1q2w3e4r", "147258369", "159357", "7758521", "7758258", "a123456", "qq123456", "abc123", "aa123456", "p@ssw0rd",
    "scjg", "scjgj", "shichangjianguan", "shichangju", "jianguan", "jianguansuo", "shipin", "shipinanquan", "gongshang",
    "zhifa", "zhifadadui", "naiman", "naimanqi", "nmq", "tongliao", "neimenggu", "daqinta", "shouze", "shou-ze",
)  # fmt: skip


def hashed(password: str) -> str:
    """The stored form; tests use a cheaper method (setting PASSWORD_METHOD)."""
    return generate_password_hash(password, method=current_app.config.get("PASSWORD_METHOD", "scrypt"))


def matches(stored: str, password: str) -> bool:
    """Whether a password is the stored one. An empty stored form costs the same and never matches."""
    return check_password_hash(stored or current_app.config["PASSWORD_DUMMY"], password) and bool(stored)


def weakness(password: str, username: str, *personal: str) -> str:
    """Why a password is refused, or "". `personal`: what else of the person is easily guessed (name, telephone)."""
    if len(password) < SHORTEST:
        return str(_("密码至少 %(n)s 位。", n=SHORTEST))
    if len(password) > LONGEST:
        return str(_("密码最多 %(n)s 位。", n=LONGEST))
    if not password.isprintable():
        return str(_("密码里有不能显示的字符。"))
    lowered = password.lower()
    own = [word.lower() for word in (username, *personal) if len(word) > 1]
    if any(word in lowered for word in own) or _guessable(password, own):
        return str(_("这个密码太容易猜到，请换一个。"))
    return ""


def _guessable(password: str, own: list[str]) -> bool:
    from zxcvbn import zxcvbn  # here: its lists take 15 MB that most processes never need

    if len(set(password.lower())) < 4 or PRIVATE_NUMBER.fullmatch(password):
        return True
    readings = [word for text in own if not text.isascii() for word in search_key(text).split()]
    words = [*own, *readings, *CHINESE]
    return int(zxcvbn(password[:READ], user_inputs=words, max_length=READ)["score"]) < GUESSABLE
