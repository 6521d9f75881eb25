"""Where the outlines come from: the Noto wheel, Debian's Fandol, the bureau's own folder.

Fandol (仿宋, 楷体, bold 宋体) is GPL with the font exception and comes out of the Debian archive, signed like every
package; TeX is not installed. Its files are kept in the cache, so that a new builder needs no network.
"""

import gzip
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .fonts import cache_home, noto_folder, own_files

PACKAGE = "texlive-lang-chinese"
FANDOL = {"fang": "FandolFang-Regular.otf", "kai": "FandolKai-Regular.otf", "title": "FandolSong-Bold.otf"}
FANDOL_TEXTS = ("COPYING.gz", "README")
DEBIAN_BOLD = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc")
NETWORK_SECONDS = 90


@dataclass(frozen=True)
class Source:
    """One face: its file, the family wanted inside a collection, and the licence folder it is kept in."""

    face: str
    file: Path
    licence: str
    collection_name: str = ""


def sources(fandol: Path | None) -> tuple[list[Source], list[str]]:
    """All faces to build and remarks for the reader; faces without a file fall back by `fonts.font_order`."""
    noto = noto_folder()
    found = {
        "song": Source("song", noto / "NotoSerifSC-Regular.otf", "ofl"),
        "hei": Source("hei", noto / "NotoSansSC-Regular.otf", "ofl"),
    }
    notes = []
    if fandol:
        found |= {face: Source(face, fandol / name, "gpl") for face, name in FANDOL.items()}
    else:
        notes.append("没有仿宋、楷体（Fandol），以宋体代替")
        if DEBIAN_BOLD.exists():
            found["title"] = Source("title", DEBIAN_BOLD, "ofl", "Noto Serif CJK SC")
    for face, file in own_files().items():
        found[face] = Source(face, file, "own")
        notes.append(f"{face} 采用 {file.name}")
    return sorted(found.values(), key=lambda source: source.face), notes


def fandol_folder(report: list[str]) -> Path | None:
    """The folder with the Fandol files, fetched when not in the cache yet; None, with the reason in `report`."""
    kept = cache_home() / "sources" / "fandol"
    if all((kept / name).is_file() for name in (*FANDOL.values(), *FANDOL_TEXTS)):
        return kept
    try:
        _fetch(kept)
    except (OSError, subprocess.SubprocessError, tarfile.TarError) as error:
        reason = type(error).__name__
        report.append(f"未能从 Debian 取得 {PACKAGE}（{reason}），apt-get update 后再运行 script/fonts --retry")
        return None
    return kept


def _fetch(kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=kept.parent, prefix=".fandol-") as name:
        folder = Path(name)
        try:
            _download(folder)
        except subprocess.CalledProcessError:
            if os.geteuid() != 0:
                raise
            # lists are absent on a fresh image, and only root may fill them
            _apt(["update"], folder)
            _download(folder)
        ready = folder / "ready"
        ready.mkdir()
        _extract(next(folder.glob("*.deb")), ready)
        if kept.exists():
            return
        ready.rename(kept)


def _download(folder: Path) -> None:
    _apt(["download", PACKAGE], folder)


def _apt(arguments: list[str], folder: Path) -> None:
    """Run apt-get quietly. The sandbox user `_apt` cannot write a home folder, so root downloads as root."""
    options = ["-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
    subprocess.run(
        ["apt-get", *options, *arguments],
        cwd=folder,
        check=True,
        timeout=NETWORK_SECONDS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _extract(package: Path, folder: Path) -> None:
    """Copy the font files and licence texts out of a .deb, nothing else. FileNotFoundError: one is not in it."""
    wanted = {*FANDOL.values(), *FANDOL_TEXTS}
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for member in archive:
            path = Path(member.name)
            content = archive.extractfile(member) if path.name in wanted and path.parent.name == "fandol" else None
            if content is not None:
                (folder / path.name).write_bytes(content.read())
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(missing[0])


def licence_texts(licence: str, fandol: Path | None) -> dict[str, bytes]:
    """File name to content of the texts that must travel with the fonts of this licence."""
    if licence == "gpl" and fandol:
        return {
            "COPYING": gzip.decompress((fandol / "COPYING.gz").read_bytes()),
            "README": (fandol / "README").read_bytes(),
        }
    if licence == "ofl":
        folder = noto_folder()
        found = sorted(folder.parent.glob("pylopdf_fonts_zh_cn-*.dist-info/licenses/LICENSE*"))
        return {"OFL.txt": found[0].read_bytes()} if found else {}
    return {}
