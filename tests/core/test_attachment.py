"""Files of a record: who reads, who writes, in which state; what a crash leaves; what firms get."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from app.core import attachment, clock, filestore
from app.core.attachment import Attachment
from app.core.errors import AccessRefused
from app.core.history import HistoryEntry, verify
from app.core.verbs import Verb
from app.core.writing import perform, unit_of_work
from app.models.enterprise import Enterprise, Site
from app.models.inspection import DONE, Inspection
from app.models.personnel import Appointment, Person
from tests.support import files
from tests.support.house import A, House
from tests.views.test_web import firm_form, text, visit_form

TOKEN = "t" * 27


@pytest.fixture(autouse=True)
def _empty_store(request: pytest.FixtureRequest) -> None:
    """The disk as the template's database knows it: without files."""
    found: House = request.getfixturevalue("house" if "house" in request.fixturenames else "small")
    for folder in ("files", "pending"):
        shutil.rmtree(disk(found) / folder, ignore_errors=True)


def visit(house: House, *given: tuple[str, bytes], who: str = "yuan-a", **changes: str) -> Any:
    """Add an inspection with files, as a form without script sends it."""
    data: dict[str, Any] = visit_form(house, **changes) | {"findings-0-fact": "冷库温度过高"}
    data["files"] = [(BytesIO(content), name) for name, content in given]
    return house.client(who).post("/inspections/add", data=data, content_type="multipart/form-data")


def added(answer: Any) -> int:
    assert answer.status_code == 302, re.findall(r'id="errors".*?</div>|class="error".*?</p>', text(answer), re.DOTALL)
    return int(answer.location.rsplit("/", 1)[1])


def stored(house: House, key: int, entity: str = "Inspection") -> list[Attachment]:
    with house.system() as session:
        mine = (Attachment.entity == entity) & (Attachment.row_id == key)
        return list(session.scalars(select(Attachment).where(mine).order_by(Attachment.id)))


def again(house: House, key: int, **data: Any) -> Any:
    """Edit the inspection."""
    with house.system() as session:
        row = session.get_one(Inspection, key)
        finding = str(row.findings[0].id)
        version = str(row.version)
    form = visit_form(house) | {"findings-0-id": finding, "findings-0-fact": "冷库温度过高", "version": version}
    return house.client("yuan-a").post(f"/inspections/{key}/edit", data=form | data, content_type="multipart/form-data")


def disk(house: House) -> Path:
    return Path(house.app.extensions["shouze_settings"].data_dir)


def test_photos_come_with_the_form_under_their_right_names(house: House) -> None:
    photo = files.jpeg()
    key = added(visit(house, ("../../x/整改 照片.jpg", photo), ("台账.xlsx", files.office())))
    first, second = stored(house, key)
    assert [first.name, second.name] == ["整改 照片.jpg", "台账.xlsx"]
    assert (first.sha256, first.size) == (hashlib.sha256(photo).hexdigest(), len(photo))
    assert (first.width, first.height, first.made_by_id) == (640, 480, house.accounts["yuan-a"])
    assert not list(disk(house).glob("**/整改*"))
    client = house.client("yuan-a")
    page = text(client.get(f"/inspections/{key}"))
    assert "整改 照片.jpg" in page and f"/files/{first.public_id}/thumb" in page
    answer = client.get(f"/files/{first.public_id}")
    assert answer.data == photo
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert "filename*=UTF-8''%E6%95%B4%E6%94%B9%20%E7%85%A7%E7%89%87.jpg" in answer.headers["Content-Disposition"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert client.get(f"/files/{first.public_id}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    sheet = client.get(f"/files/{second.public_id}")
    assert sheet.headers["Content-Disposition"].startswith("attachment;")
    assert client.get(f"/files/{second.public_id}/thumb").status_code == 404
    assert client.get(f"/files/{first.public_id}/huge").status_code == 404


@pytest.mark.parametrize("username", ["yuan-b", "suo-b", "firm-a", "firm-b", "admin", "audit", "shi"])
def test_who_may_not_read_the_record_finds_no_file(house: House, username: str) -> None:
    key = added(visit(house, ("照片.jpg", files.jpeg())))
    one = stored(house, key)[0]
    client = house.client(username)
    for tail in ("", "/thumb", "/screen", "/download"):
        assert client.get(f"/files/{one.public_id}{tail}").status_code == 404
    assert client.get("/files/" + "A" * 22).status_code == 404
    assert client.get(f"/files/{one.file}").status_code == 404
    assert house.client().get(f"/files/{one.public_id}").status_code == 302


def test_a_sealed_visit_hides_its_photos_from_the_station_too(house: House) -> None:
    key = added(visit(house, ("照片.jpg", files.jpeg())))
    one = stored(house, key)[0]
    assert house.client("neiqin-a").get(f"/files/{one.public_id}").status_code == 200
    with house.system() as session, unit_of_work():
        session.get_one(Inspection, key).sealed = True
    assert house.client("neiqin-a").get(f"/files/{one.public_id}").status_code == 404
    assert house.client("ju").get(f"/files/{one.public_id}/thumb").status_code == 404
    for member in ("yuan-a", "suo-a"):
        assert house.client(member).get(f"/files/{one.public_id}").status_code == 200, "both inspectors are put to it"


def test_a_firm_gets_a_copy_that_tells_nothing_and_the_bureau_the_original(house: House) -> None:
    with house.system() as session:
        account = house.accounts["firm-a"]
        posts = select(Appointment.enterprise_id).join(Person).where(Person.account_id == account)
        firm = session.get_one(Enterprise, session.scalars(posts).first())
        version, office = str(firm.version), firm.office_id
        form = firm_form(name=firm.name, version=version)
    assert office == house.offices[A]
    photo = files.jpeg()
    data: dict[str, Any] = form | {"files": [(BytesIO(photo), "门头.jpg")]}
    assert house.client("yuan-a").post(f"/enterprises/{firm.id}/edit", data=data).status_code == 302
    one = stored(house, firm.id, "Enterprise")[0]
    for tail in ("", "/screen", "/download", "/thumb"):
        given = house.client("firm-a").get(f"/files/{one.public_id}{tail}").data
        with Image.open(BytesIO(given)) as drawn:
            assert not drawn.getexif()
        assert b"PhoneMaker" not in given
    assert "/download" not in text(house.client("firm-a").get(f"/enterprises/{firm.id}"))
    kept = house.client("suo-a").get(f"/files/{one.public_id}/download").data
    assert kept == photo and b"PhoneMaker" in kept
    with Image.open(BytesIO(kept)) as original:
        assert original.getexif().get_ifd(0x8825)[2] == (42.0, 50.0, 44.0)


def test_a_lying_file_is_said_beside_the_field_and_the_others_wait(house: House) -> None:
    answer = visit(
        house, ("好.jpg", files.jpeg()), ("坏.jpg", files.HTML), ("大.png", files.huge_png()), summary="写了很多字"
    )
    page = text(answer)
    assert answer.status_code == 422
    assert "坏.jpg：不收这种文件" in page and "大.png：图片太大" in page
    assert "写了很多字" in page and "好.jpg" in page
    with house.system() as session:
        assert session.scalars(select(Inspection).where(Inspection.summary == "写了很多字")).first() is None
    token = page.split('name="upload_box" value="')[1].split('"')[0]
    key = added(visit(house, summary="写了很多字", upload_box=token))
    assert [one.name for one in stored(house, key)] == ["好.jpg"]
    assert not list(disk(house).glob("pending/*/*/*"))


def test_a_missing_field_keeps_the_files_for_the_next_try(house: House) -> None:
    answer = visit(house, ("好.jpg", files.jpeg()), site="")
    assert answer.status_code == 422
    page = text(answer)
    assert "好.jpg" in page and "请填写" in page
    token = page.split('name="upload_box" value="')[1].split('"')[0]
    waiting = page.split('name="drop-file" value="')[1].split('"')[0]
    assert house.client("suo-a").get(f"/uploads/{token}/{waiting}").status_code == 404, "another account's corner"
    assert house.client("yuan-a").get(f"/uploads/{token}/{waiting}?copy=thumb").status_code == 200
    key = added(visit(house, upload_box=token, **{"drop-file": waiting}))
    assert stored(house, key) == []


def test_files_are_taken_off_while_it_is_a_draft_and_history_keeps_their_hash(house: House) -> None:
    key = added(visit(house, ("照片.jpg", files.jpeg())))
    one = stored(house, key)[0]
    other = stored(house, added(visit(house, ("别的.jpg", files.jpeg()))))[0]
    assert again(house, key, **{"remove-file": [one.public_id, other.public_id]}).status_code == 302
    assert stored(house, key) == []
    assert stored(house, other.row_id) != [], "only the record's own"
    with house.system() as session:
        newest = session.scalars(
            select(HistoryEntry).where(HistoryEntry.row_id == key).order_by(HistoryEntry.id.desc())
        )
        body = newest.first().body  # type: ignore[union-attr]
        assert one.sha256 in body and "照片.jpg" in body
        assert list(verify()) == []
    assert "照片.jpg（SHA-256" in text(house.client("yuan-a").get(f"/inspections/{key}/history"))


def test_a_finished_visit_takes_no_file_and_loses_none(house: House) -> None:
    key = added(visit(house, ("照片.jpg", files.jpeg())))
    one = stored(house, key)[0]
    with house.system() as session, unit_of_work():
        session.get_one(Inspection, key).state = DONE
    assert again(house, key, files=[(BytesIO(files.jpeg()), "后补.jpg")]).status_code == 403
    assert again(house, key, **{"remove-file": one.public_id}).status_code == 403
    assert [x.id for x in stored(house, key)] == [one.id]
    for act in (attach_to, remove_from):
        with house.acting("yuan-a"), pytest.raises(AccessRefused):
            act(key)
    with house.acting("yuan-b"), pytest.raises(AccessRefused), unit_of_work() as session:
        made = Attachment(made_office_id=1, entity="Inspection", row_id=key, name="x", mime="text/plain", size=1,
                          sha256="x", file="x" * 27)  # fmt: skip
        session.add(made)
        session.flush()
    assert [x.id for x in stored(house, key)] == [one.id]


def attach_to(key: int) -> None:
    with unit_of_work() as session:
        row = session.get_one(Inspection, key)
        attachment.attach(row, [filestore.Pending("y" * 27, "x.txt", "text/plain", 1, "0" * 64)], Verb.UPDATE)


def remove_from(key: int) -> None:
    with unit_of_work() as session:
        row = session.get_one(Inspection, key)
        one = attachment.of(row)[0]
        session.delete(one)
        perform(one, Verb.UPDATE, row)
        session.flush()


def test_two_upload_at_once_and_both_are_kept(house: House) -> None:
    key = added(visit(house))

    def put(n: int) -> int:
        return int(again(house, key, files=[(BytesIO(files.jpeg(64, 64)), f"{n}.jpg")], summary="同").status_code)

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(put, range(4)))
    assert codes.count(302) == len(stored(house, key)) >= 1
    assert set(codes) <= {302, 409}, codes


def test_the_same_form_sent_twice_at_once_keeps_its_files_once(house: House) -> None:
    client = house.client("yuan-a")
    assert upload(client, "a.jpg").json["refused"] == []  # type: ignore[index]
    with ThreadPoolExecutor(2) as pool:
        codes = [one.status_code for one in pool.map(lambda _n: visit(house, upload_box=TOKEN), range(2))]
    assert set(codes) <= {302, 409}
    with house.system() as session:
        assert len(session.scalars(select(Attachment.file)).all()) == 1


def upload(client: FlaskClient, name: str, content: bytes | None = None) -> Any:
    data = {"files": (BytesIO(content or files.jpeg(64, 64)), name)}
    return client.post(f"/uploads/{TOKEN}", data=data, content_type="multipart/form-data")


def test_the_script_uploads_lists_and_takes_away(house: House) -> None:
    client = house.client("yuan-a")
    found = upload(client, "a.jpg").json
    assert found is not None and found["files"][0]["name"] == "a.jpg"
    name = found["files"][0]["id"]
    assert client.get(f"/uploads/{TOKEN}").json == {"files": found["files"]}
    assert house.client("suo-a").get(f"/uploads/{TOKEN}").json == {"files": []}
    assert house.client("suo-a").post(f"/uploads/{TOKEN}/{name}").status_code == 404
    assert client.post(f"/uploads/{TOKEN}/{name}").status_code == 200
    assert client.get(f"/uploads/{TOKEN}").json == {"files": []}
    refused = upload(client, "x.jpg", files.SVG).json
    assert refused is not None and "不收" in refused["refused"][0]["error"]
    for bad in ("..", "x", "%2e%2e%2f", "长" * 30, "a" * 10_000):
        assert client.get(f"/uploads/{bad}").status_code == 404, bad


def test_one_account_cannot_fill_the_disk(small: House) -> None:
    client = small.client("yuan-a")
    many = filestore.MOST_PENDING
    with small.app.app_context():
        for _n in range(many):
            filestore.put_pending(
                small.accounts["yuan-a"], "u" * 27, filestore.Pending(filestore.new_name(), "x", "text/plain", 1, "")
            )
    before = len(list(disk(small).glob("files/*/*")))
    assert "太多" in upload(client, "a.jpg").json["refused"][0]["error"]
    assert len(list(disk(small).glob("files/*/*"))) == before
    assert upload(small.client("suo-a"), "a.jpg").json["refused"] == []


def test_more_than_a_record_may_have_is_refused(small: House) -> None:
    key = added(visit(small, *((f"{n}.txt", b"x") for n in range(40))))
    answer = again(small, key, files=[(BytesIO(b"x"), "第41.txt")])
    assert answer.status_code == 422 and "最多 40 个附件" in text(answer)
    assert len(stored(small, key)) == 40


def test_a_file_that_is_too_large_is_refused(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = small.app.extensions["shouze_settings"]
    monkeypatch.setitem(small.app.extensions, "shouze_settings", replace(settings, attachment_max_mb=0))
    answer = visit(small, ("大.txt", b"x"))
    assert answer.status_code == 422 and "每个文件最多 0 MB" in text(answer)


def test_a_crash_between_file_and_row_leaves_nothing_for_good(small: House, monkeypatch: pytest.MonkeyPatch) -> None:
    key = added(visit(small, ("留.jpg", files.jpeg())))
    kept = stored(small, key)[0].file
    monkeypatch.setattr(attachment, "attach", _killed)
    with pytest.raises(KeyboardInterrupt):
        visit(small, ("丢.jpg", files.jpeg()))
    monkeypatch.undo()
    with small.app.app_context():
        draft = filestore.place("d" * 27).with_name(".halfwritten.1234")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(b"x")
        assert attachment.sweep() == 0, "what is young may still get its row"
        past = (clock.now() - timedelta(days=2)).timestamp()
        for path in disk(small).glob("**/*"):
            if path.is_file() and ("files" in path.parts or "pending" in path.parts):
                os.utime(path, (past, past))
        assert attachment.sweep() == 2
        left = {path.name.partition(".")[0] for path in disk(small).glob("files/*/*")}
        assert left == {kept}
    assert not list(disk(small).glob("pending/*/*/*"))
    assert small.client("yuan-a").get(f"/files/{stored(small, key)[0].public_id}").status_code == 200


def _killed(*_args: Any) -> None:
    raise KeyboardInterrupt


def test_bytes_changed_on_the_disk_are_not_served(small: House) -> None:
    one = stored(small, added(visit(small, ("a.txt", b"true"))))[0]
    with small.app.app_context():
        filestore.place(one.file).write_bytes(b"false")
    assert small.client("yuan-a").get(f"/files/{one.public_id}").status_code == 409
    with small.app.app_context():
        filestore.erase(one.file)
    assert small.client("yuan-a").get(f"/files/{one.public_id}").status_code == 404


def test_text_is_never_shown_in_the_browser(small: House) -> None:
    one = stored(small, added(visit(small, ("a.txt", b"hello <script>alert(1)</script>"))))[0]
    answer = small.client("yuan-a").get(f"/files/{one.public_id}")
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_a_site_without_declaration_would_have_no_files(small: House) -> None:
    """Only entities that declare it carry files; those of the plan do."""
    names = {cls.__name__ for cls in Attachment.__subjects__}
    assert {"Enterprise", "Site", "Inspection", "Notice", "Appointment"} <= names
    assert "Person" not in names and Site in Attachment.__subjects__
