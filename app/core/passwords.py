"""Passwords of regulators: scrypt, at least ten characters, not one of the common ones."""

from __future__ import annotations

from flask import current_app
from flask_babel import gettext as _
from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST = 10
COMMON = frozenset(
    [
        "1234567890",
        "0123456789",
        "0987654321",
        "qwertyuiop",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "password123",
        "password1234",
        "admin123456",
        "administrator",
        "abc1234567",
        "a123456789",
        "qq123456789",
        "iloveyou123",
        "woaini1314",
        "woaini520520",
        "5201314520",
        "1314520520",
        "1111111111",
        "8888888888",
        "6666666666",
        "0000000000",
        "aaaaaaaaaa",
        "123456789a",
        "12345678910",
        "1qazxsw23edc",
        "zaq12wsxcde3",
    ]
)


def hashed(password: str) -> str:
    """The stored form; tests use a cheaper method (setting PASSWORD_METHOD)."""
    return generate_password_hash(password, method=current_app.config.get("PASSWORD_METHOD", "scrypt"))


def matches(stored: str, password: str) -> bool:
    """Whether a password is the stored one. An empty stored form costs the same and never matches."""
    return check_password_hash(stored or current_app.config["PASSWORD_DUMMY"], password) and bool(stored)


def weakness(password: str, username: str) -> str:
    """Why a password is refused, or ""."""
    if len(password) < SHORTEST:
        return str(_("密码至少 %(n)s 位。", n=SHORTEST))
    if not password.isprintable():
        return str(_("密码里有不能显示的字符。"))
    lowered = password.lower()
    if lowered in COMMON or len(set(lowered)) < 4 or (username and username.lower() in lowered):
        return str(_("这个密码太容易猜到，请换一个。"))
    return ""
