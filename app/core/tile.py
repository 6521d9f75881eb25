"""What a page shows of files, as plain data (see `app.core.screen`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FileTile:
    """One file: its name, where it opens, its small picture, size and maker in words."""

    id: str
    name: str
    url: str
    thumb: str = ""
    original: str = ""
    note: str = ""
    title: str = ""
    removed: bool = False


@dataclass
class FileBox:
    """Files in a form: those the record has, those that wait for it to be saved."""

    label: Any
    token: str
    accept: str
    upload_url: str
    most: int
    help: Any = ""
    stored: list[FileTile] = field(default_factory=list)
    pending: list[FileTile] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
