"""Keys derived from the data key: encrypted columns, digests for equality, the history chain.

The data key lives in a file outside the database and its backup (`SHOUZE_DATA_KEY_FILE`).
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

VERSION = b"\x01"  # of the envelope: version, 12 bytes nonce, AES-256-GCM text and tag


class DecryptionError(Exception):
    """A column does not open with this installation's data key."""


class Keyring:
    """The keys of one application; made once at start from the data key."""

    def __init__(self, data_key: bytes) -> None:
        self.column = AESGCM(self._derive(data_key, b"column"))
        self.digest_key = self._derive(data_key, b"digest")
        self.history_key = self._derive(data_key, b"history")
        self.anchor_key = self._derive(data_key, b"anchor")

    @staticmethod
    def _derive(data_key: bytes, purpose: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt=b"shouze", info=purpose).derive(data_key)


def keyring() -> Keyring:
    """The running application's keys."""
    ring = current_app.extensions["shouze_keyring"]
    assert isinstance(ring, Keyring)
    return ring


def encrypt(text: str, context: str) -> bytes:
    """Seal `text`; `context` (table.column) is bound in, so a value moved to another column does not open."""
    nonce = os.urandom(12)
    return VERSION + nonce + keyring().column.encrypt(nonce, text.encode(), context.encode())


def decrypt(sealed: bytes, context: str) -> str:
    """Open what `encrypt` sealed. Raises DecryptionError."""
    if sealed[:1] != VERSION:
        raise DecryptionError(f"unknown envelope in {context}")
    try:
        return keyring().column.decrypt(sealed[1:13], sealed[13:], context.encode()).decode()
    except InvalidTag as error:
        raise DecryptionError(f"{context}: wrong data key or changed bytes") from error


def digest(text: str, context: str) -> str:
    """Keyed digest for equality search over an encrypted column (hex, 64 characters)."""
    return hmac.new(keyring().digest_key, f"{context}\0{text}".encode(), hashlib.sha256).hexdigest()


def chain(previous: str, body: str) -> str:
    """The next link of a history chain: HMAC over the link before and this entry's exact text."""
    return hmac.new(keyring().history_key, f"{previous}\n{body}".encode(), hashlib.sha256).hexdigest()


def seal_text(purpose: str, text: str) -> str:
    """A seal (hex HMAC) over a text that stands outside the chain: a checkpoint, a day's heads in a file."""
    return hmac.new(keyring().anchor_key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()
