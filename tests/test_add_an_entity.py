"""`docs/add-an-entity.md`, followed to the letter on a copy of the program: the new entity has everything."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "add-an-entity.md"
BLOCK = re.compile(r"```(python|sh)\n(.*?)```", re.DOTALL)
MOST_FILES = 3


def steps() -> list[tuple[str, str, str]]:
    """(kind, file the step is about or "", text) of each block, in order."""
    text, found, last = PAGE.read_text(), [], 0
    for block in BLOCK.finditer(text):
        named = re.findall(r"`(app/[\w/]+\.py)`", text[last : block.start()])
        found.append((block[1], named[-1] if named and block[1] == "python" else "", block[2]))
        last = block.end()
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program in which the page has been followed."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("app", "translations", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "out"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for kind, file, text in steps():
        if kind == "python":
            follow(root / file, text)
        else:
            for line in text.strip().splitlines():
                command(root, line)
    return root


def follow(path: Path, text: str) -> None:
    """A new file is written; in one that is there, the assignment of the same name is replaced."""
    if not path.exists():
        path.write_text(text)
        return
    name = re.match(r"(\w+) = ", text)
    assert name is not None, text
    kept = path.read_text()
    changed = re.sub(rf"^{name[1]} = .*$", text.strip(), kept, count=1, flags=re.MULTILINE)
    assert changed != kept, path
    path.write_text(changed)


def environment(root: Path) -> dict[str, str]:
    return {**os.environ, "SHOUZE_DATA_DIR": str(root / "var"), "PYTHONPATH": str(root)}


def command(root: Path, line: str) -> None:
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
    assert words[0] == ".venv/bin/shouze", line
    run(root, "-m", "app", *words[1:])


def run(root: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", *words], cwd=root, env=environment(root), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
    return done.stdout


def test_the_page_touches_few_files() -> None:
    files = {file for kind, file, _text in steps() if kind == "python"}
    assert 1 <= len(files) <= MOST_FILES
    assert len(PAGE.read_text().splitlines()) < 140


def test_the_migration_is_the_declarations(copy: Path) -> None:
    made = [
        path for path in (copy / "app/migrations/versions").glob("*.py") if not (ROOT / path.relative_to(copy)).exists()
    ]
    assert len(made) == 1
    text = made[0].read_text()
    assert text.count("create_table") == 1 and "'complaint'" in text.replace('"', "'")


def test_the_new_entity_has_everything(copy: Path) -> None:
    """List, form, page, filter, search, step, export, import, API, history, other station's rows: one story."""
    told = json.loads(run(copy, "-c", STORY).splitlines()[-1])
    assert told == dict.fromkeys(told, True), told
    assert len(told) >= 14


def test_the_prover_tries_the_new_entity(copy: Path) -> None:
    """Nobody told it: rows are made of it, its routes and its session are tried, the counts rise."""
    told = json.loads(run(copy, "-c", PROVE).splitlines()[-1])
    assert told["leaks"] == [] and told["withheld"] == [], told
    assert told["rows"] >= 10 and len(told["paths"]) >= 25 and len(told["ways"]) >= 30, told
    assert told["tries"] > 200 and told["all"] > told["tries"], told


STORY = """
import io, json
from pathlib import Path
from openpyxl import load_workbook
from sqlalchemy import select
from tests.support.house import A, B, on_sqlite
from app.core import clock
from app.models.complaint import Complaint

folder = Path("var/house").absolute(); folder.mkdir(parents=True)
house = on_sqlite(folder)
site, other = house.site_of(A), house.site_of(B)
yuan, foreign, firm = house.client("yuan-a"), house.client("yuan-b"), house.client("firm-b")
day = clock.today().isoformat()
form = {"site": str(site), "received": day, "channel": "来信来访", "content": "面条里有异物"}
text = lambda answer: answer.get_data(as_text=True)
told = {}
made = yuan.post("/complaints/add", data=form)
key = made.location.rsplit("/", 1)[-1]
told["form opens"] = 'name="content"' in text(yuan.get("/complaints/add"))
told["form saves"] = made.status_code == 302
told["form refuses"] = yuan.post("/complaints/add", data=form | {"channel": "梦见"}).status_code == 422
told["list"] = "来信来访" in text(yuan.get("/complaints/"))
told["filter"] = f'"/complaints/{key}"' not in text(yuan.get("/complaints/?channel=12315+热线"))
told["search"] = f"/complaints/{key}" in text(yuan.get("/complaints/?q=异物"))
told["page"] = "面条里有异物" in text(yuan.get(f"/complaints/{key}"))
told["in the menu"] = 'href="/complaints/"' in text(yuan.get("/"))
told["another station"] = foreign.get(f"/complaints/{key}").status_code == 404
told["foreign parent"] = yuan.post("/complaints/add", data=form | {"site": str(other)}).status_code == 422
told["api list"] = yuan.get("/api/v1/complaints/").get_json()["items"][0]["content"] == "面条里有异物"
told["api describes"] = "/complaints/" in text(yuan.get("/api/v1/openapi.json"))
sheet = yuan.post("/complaints/export", data={"format": "xlsx"})
cells = lambda data: [[cell.value for cell in row] for row in load_workbook(io.BytesIO(data)).active.rows]
told["export"] = "来信来访" in str(cells(sheet.data))
template = yuan.get("/complaints/import/template.xlsx")
told["import template"] = template.status_code == 200 and "内容" in str(cells(template.data)[0])
step = text(yuan.get(f"/complaints/{key}/do/close"))
version = step.split('name="version" value="')[1].split('"')[0]
done = yuan.post(f"/complaints/{key}/do/close", data={"version": version, "reason": "已调解"})
told["step"] = done.status_code == 302
told["history"] = "已调解" in text(yuan.get(f"/complaints/{key}/history")) + text(yuan.get(f"/complaints/{key}"))
with house.system() as session:
    row = session.scalars(select(Complaint)).one()
    told["ownership"] = (row.office_id, row.site_id, row.state) == (house.offices[A], site, "已办结")
house.close()
print(json.dumps(told, ensure_ascii=False))
"""

PROVE = """
import json
from app import prover
from app.core.entity import registry
with prover.bureau() as house:
    product = list(prover.items(house, {"yuan-a"}))
    new = [one for one in product if "complaint" in one.path.lower()]
    outcome = prover.try_all(house, new[::3])
    rows = len(list(house.rows(registry()["Complaint"])))
print(json.dumps({
    "leaks": outcome.leaks, "withheld": outcome.withheld, "paths": sorted({one.path for one in new}),
    "ways": sorted({one.way for one in new}), "tries": len(new), "all": len(product), "rows": rows,
}))
"""
