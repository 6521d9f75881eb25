"""Passwords and codes as ASVS 5.0 V6 asks: pasted, checked as typed, none that leaked, drawn by a secure generator."""

from __future__ import annotations

import ast
import math
import re
import secrets
from pathlib import Path
from typing import Any

import pyotp
import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from app.core.office import Account
from app.core.passwords import LONGEST, SHORTEST, hashed, weakness
from app.core.signin import phone, second_factor
from app.core.writing import unit_of_work
from tests.support.house import House

APP = Path(__file__).parents[2] / "app"
SAME_EACH_TIME = {"demo.py", "demo_firms.py", "pairs.py"}  # made-up firms; what the prover tries
TYPED = " Ab四月里的第3场雨 ’éß停了 "
FIELD = re.compile(r'<input type="password"[^>]*>')


def set_password(house: House, password: str) -> None:
    with house.system() as session, unit_of_work():
        account = session.get_one(Account, house.accounts["yuan-a"])
        account.password, account.must_change_password = hashed(password), False


def lets_in(house: House, password: str) -> bool:
    answer = house.client().post("/login/", data={"username": "yuan-a", "password": password})
    return answer.status_code == 302 and "/login" not in answer.location


def test_password_fields_take_what_is_pasted_and_what_a_manager_fills_in(house: House) -> None:
    """V6.2.7: no script stops a paste, and each field says to a manager which password it is."""
    pages = [house.client().get("/login/").get_data(as_text=True),
             house.client("yuan-a").get("/password/").get_data(as_text=True)]  # fmt: skip
    boxes = [box for page in pages for box in FIELD.findall(page)]
    assert len(boxes) == 4
    for box in boxes:
        assert re.search(r'autocomplete="(current|new)-password"', box), box
        assert "readonly" not in box and "maxlength" not in box and "onpaste" not in box
    script = (APP / "static" / "app.js").read_text()
    assert not re.search(r"""["'](paste|copy|contextmenu|beforeinput)["']""", script)


@pytest.mark.parametrize(
    "near",
    [TYPED.strip(), TYPED.lower(), TYPED[:-1], f"{TYPED}x", TYPED.replace("’", "'"), TYPED.replace("é", "e\u0301"), ""],
)
def test_a_password_is_checked_exactly_as_it_was_typed(small: House, near: str) -> None:
    """V6.2.8: blanks at the ends, case and accents count."""
    set_password(small, TYPED)
    assert lets_in(small, TYPED)
    assert not lets_in(small, near)


@pytest.mark.parametrize("length", [72, 73, LONGEST])
def test_no_end_of_a_long_password_is_cut_off(small: House, length: int) -> None:
    """V6.2.8: neither where bcrypt would, nor at the longest that may be chosen."""
    long = "".join(secrets.choice("abcdefgh23456789") for _n in range(length))
    set_password(small, long)
    assert lets_in(small, long)
    assert not lets_in(small, f"{long[:-1]}{'x' if long[-1] != 'x' else 'y'}")
    assert not lets_in(small, f"{long}x")


def test_no_password_of_the_leaked_lists_is_taken(small: House) -> None:
    """V6.2.12: the thirty thousand most frequent passwords of the breaches that the estimate's list was made from."""
    leaked = [one for one in FREQUENCY_LISTS["passwords"] if len(one) >= SHORTEST]
    assert len(leaked) > 1_000
    with small.app.test_request_context():
        taken = [one for one in leaked if not weakness(one, "yuan-a")]
    assert taken == []


def test_whatever_must_not_be_guessed_is_drawn_by_a_secure_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """V6.5.3: no module draws with `random`; codes ask `secrets`."""
    for path in APP.rglob("*.py"):
        names = [alias.name for node in ast.walk(ast.parse(path.read_text()))
                 if isinstance(node, ast.Import) for alias in node.names]  # fmt: skip
        froms = [node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        assert path.name in SAME_EACH_TIME or "random" not in {*names, *froms}, path.name
    asked: list[Any] = []
    monkeypatch.setattr(secrets, "choice", lambda some: asked.append(some) or some[0])
    assert set(phone.new_code()) <= {phone.LETTERS[0], "-"}
    assert len(asked) == phone.LENGTH


def test_codes_are_too_many_to_be_guessed(small: House) -> None:
    """V6.5.4: twenty bits at least, or six digits; nobody gets two alike."""
    assert len(phone.LETTERS) ** phone.LENGTH > 2**70
    assert math.log2(len(second_factor.LETTERS) ** second_factor.LENGTH) > 45
    assert len(pyotp.TOTP(pyotp.random_base32()).now()) == 6 and len(pyotp.random_base32()) * 5 >= 160
    assert len({phone.new_code() for _n in range(2_000)}) == 2_000
    with small.app.test_request_context():
        assert len({pyotp.random_base32() for _n in range(2_000)}) == 2_000
