"""Every setting, typed, from the environment (docs/settings.md lists them; a test keeps both the same)."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path


def _env(name: str, default: str = "") -> str:
    return os.environ.get(f"SHOUZE_{name}", default)


def _whole(name: str, default: int) -> int:
    """A setting that is a whole number. Raises ValueError naming it."""
    text = _env(name).strip() or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(f"SHOUZE_{name} must be a whole number, not {text[:40]!r}")
    return int(text)


def _list(name: str, default: str = "") -> tuple[str, ...]:
    return tuple(part.strip() for part in _env(name, default).split(",") if part.strip())


def _generated(path: Path, make: int = 48) -> bytes:
    """The secret kept in `path`; made once, readable by the owner only. Two starts at once get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_urlsafe(make).encode())
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, path)  # fails when the other start was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes().strip()


@dataclass(frozen=True)
class Settings:
    """What one installation is told. Raises ValueError, naming the setting that can't be read.

    `trusted_proxies` is the number of reverse proxies in front whose X-Forwarded-* headers are believed.
    """

    data_dir: Path = field(default_factory=lambda: Path(_env("DATA_DIR", "var")).absolute())
    database_url: str = field(default_factory=lambda: _env("DATABASE_URL"))
    database_owner_url: str = field(default_factory=lambda: _env("DATABASE_OWNER_URL"))
    secret_key: str = field(default_factory=lambda: _env("SECRET_KEY"))
    data_key_file: str = field(default_factory=lambda: _env("DATA_KEY_FILE"))
    base_url: str = field(default_factory=lambda: _env("BASE_URL", "http://127.0.0.1:8000"))
    trusted_hosts: tuple[str, ...] = field(default_factory=lambda: _list("TRUSTED_HOSTS", "127.0.0.1,localhost"))
    trusted_proxies: int = field(default_factory=lambda: _whole("TRUSTED_PROXIES", 0))
    redis_url: str = field(default_factory=lambda: _env("REDIS_URL"))
    workers: int = field(default_factory=lambda: _whole("WORKERS", 2))
    threads: int = field(default_factory=lambda: _whole("THREADS", 8))
    upload_max_mb: int = field(default_factory=lambda: _whole("UPLOAD_MAX_MB", 20))
    export_direct_rows: int = field(default_factory=lambda: _whole("EXPORT_DIRECT_ROWS", 2000))
    attachment_max_mb: int = field(default_factory=lambda: _whole("ATTACHMENT_MAX_MB", 15))
    idle_minutes: int = field(default_factory=lambda: _whole("IDLE_MINUTES", 30))
    history_days: int = field(default_factory=lambda: _whole("HISTORY_DAYS", 1095))
    activation_days: int = field(default_factory=lambda: _whole("ACTIVATION_DAYS", 30))
    phone_days: int = field(default_factory=lambda: _whole("PHONE_DAYS", 90))
    testing: bool = False

    @property
    def url(self) -> str:
        """The database; SQLite in the data directory unless told otherwise."""
        return self.database_url or f"sqlite:///{self.data_dir / 'shouze.db'}"

    @property
    def owner_url(self) -> str:
        """The database as its owner sees it (migrations, backup)."""
        return self.database_owner_url or self.url

    def secret(self) -> str:
        """The key that signs sessions; generated once into the data directory."""
        return self.secret_key or _generated(self.data_dir / "keys" / "secret").decode()

    def data_key(self) -> bytes:
        """The key behind encrypted columns and the history chain; outside database and backup."""
        path = Path(self.data_key_file) if self.data_key_file else self.data_dir / "keys" / "data"
        return _generated(path)
