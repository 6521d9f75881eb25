"""The private font set: where it lies, what it can draw, in which order faces stand in for each other.

Built once by `script/fonts` (see `fontbuild`) into `${XDG_CACHE_HOME:-~/.cache}/shouze/fonts/<key>/`, shared by all
clones on the machine. This module only reads it and stays light: the web process imports it for `unprintable`.

Settings, both from the environment:

`SHOUZE_FONT_DIR`
    a folder with the bureau's own licensed fonts; a file named in `OWN_FILES` replaces that face.
`SHOUZE_FONT_ORDER`
    which faces follow a face whose glyph is missing, e.g. `fang=kai,song;title=hei,song`; the rest stays `FALLBACK`.
"""

import json
import os
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from .errors import NotReady

BUILDER_VERSION = 1
"""Raise it when the builder's output changes: every machine then builds a new set beside the old one."""

MEND = "script/fonts"

FACES = ("fang", "kai", "song", "hei", "title", "meng")
"""仿宋 body, 楷体, 宋体, 黑体, 小标宋 titles, and traditional Mongolian (only from `SHOUZE_FONT_DIR`)."""

FALLBACK: dict[str, tuple[str, ...]] = {
    "fang": ("song",),
    "kai": ("song",),
    "song": (),
    "hei": ("song",),
    "title": ("song",),
    "meng": ("song",),
}
"""Followers of each face. 宋体 ends every list: only it has the rare characters of names."""

OWN_FILES: dict[str, tuple[str, ...]] = {
    "fang": ("simfang.ttf", "仿宋_gb2312.ttf", "fzfsk.ttf", "fang.ttf", "fang.otf"),
    "kai": ("simkai.ttf", "楷体_gb2312.ttf", "fzktk.ttf", "kai.ttf", "kai.otf"),
    "song": ("simsun.ttf", "song.ttf", "song.otf"),
    "hei": ("simhei.ttf", "hei.ttf", "hei.otf"),
    "title": ("fzxbsjw.ttf", "fzxbsk.ttf", "title.ttf", "title.otf"),
    "meng": ("meng.ttf", "meng.otf", "monbaiti.ttf"),
}
"""File names looked for in `SHOUZE_FONT_DIR`, lower case, first hit wins."""


@dataclass(frozen=True)
class FontSet:
    """A built set. `families` maps a face to its family names, tier 1 first; `ranges` holds inclusive code points."""

    path: Path
    hash: str
    families: dict[str, tuple[str, ...]]
    ranges: tuple[tuple[int, int], ...]
    notes: tuple[str, ...]

    @property
    def config(self) -> Path:
        """The fontconfig file that knows these fonts and no others."""
        return self.path / "fonts.conf"

    def css(self, face: str, order: dict[str, tuple[str, ...]] | None = None) -> str:
        """The value of `font-family` for a face: its tiers, then those of its followers. KeyError: no such face."""
        chain = (face, *(order or font_order())[face])
        return ",".join(family for name in chain for family in self.families.get(name, ()))

    def missing(self, text: str) -> str:
        """The characters of `text` that no face draws, each once, in order; line feeds are layout, not glyphs."""
        return "".join(c for c in dict.fromkeys(text) if c != "\n" and not self._covers(ord(c)))

    def _covers(self, point: int) -> bool:
        at = bisect_right(self.ranges, (point, 0x110000)) - 1
        return at >= 0 and point <= self.ranges[at][1]


def cache_home() -> Path:
    """The folder of all font sets of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "shouze" / "fonts"


def noto_folder() -> Path:
    """The folder of the Noto wheel; asked for without importing it. NotReady: not installed."""
    spec = find_spec("pylopdf_fonts_zh_cn")
    if spec is None or spec.origin is None:
        raise NotReady("缺少字体包 pylopdf-fonts-zh-cn，请运行 script/bootstrap")
    return Path(spec.origin).parent


def own_files() -> dict[str, Path]:
    """Face to file for the fonts the bureau put into `SHOUZE_FONT_DIR`. NotReady: the folder is named but absent."""
    folder = os.environ.get("SHOUZE_FONT_DIR")
    if not folder:
        return {}
    if not Path(folder).is_dir():
        raise NotReady(f"SHOUZE_FONT_DIR 指定的文件夹不存在：{folder}")
    there = {entry.name.lower(): entry for entry in sorted(Path(folder).iterdir())}
    hits = {face: [there[name] for name in names if name in there] for face, names in OWN_FILES.items()}
    return {face: files[0] for face, files in hits.items() if files}


def pointer() -> Path:
    """The small file that names the set for this builder, this wheel and this font folder.

    Sizes and times stand for contents here: hashing 20 MB at each start would cost more than it protects.
    """
    files = [*sorted(noto_folder().glob("*.otf")), *own_files().values()]
    marks = [f"{file.name} {file.stat().st_size}" for file in files]
    marks += [f"{face} {file} {file.stat().st_mtime_ns}" for face, file in own_files().items()]
    digest = sha256("\n".join(marks).encode()).hexdigest()[:12]
    return cache_home() / f"current-{BUILDER_VERSION}-{digest}"


def font_order() -> dict[str, tuple[str, ...]]:
    """`FALLBACK` overlaid with `SHOUZE_FONT_ORDER`. NotReady: the setting names an unknown face."""
    order = dict(FALLBACK)
    for rule in filter(None, os.environ.get("SHOUZE_FONT_ORDER", "").replace(" ", "").split(";")):
        face, _, rest = rule.partition("=")
        followers = tuple(filter(None, rest.split(",")))
        if not {face, *followers} <= set(FACES):
            raise NotReady(f"SHOUZE_FONT_ORDER 写法有误：{rule}，可用的字体名为 {' '.join(FACES)}")
        order[face] = followers
    return order


def font_set() -> FontSet:
    """The built set of this machine, looked up once a process. NotReady, naming the command, when there is none."""
    return _current(*map(os.environ.get, ("XDG_CACHE_HOME", "HOME", "SHOUZE_FONT_DIR")))


@lru_cache(maxsize=8)
def _current(_cache: str | None, _home: str | None, _own: str | None) -> FontSet:
    try:
        return _load(cache_home() / pointer().read_text().strip())
    except (OSError, ValueError, KeyError) as error:
        raise NotReady(f"字体尚未生成，请运行 {MEND}") from error


def _load(folder: Path) -> FontSet:
    manifest = json.loads((folder / "manifest.json").read_text())
    families = {face: tuple(names) for face, names in manifest["families"].items()}
    ranges = tuple((first, last) for first, last in manifest["ranges"])
    return FontSet(folder, manifest["hash"], families, ranges, tuple(manifest["notes"]))
