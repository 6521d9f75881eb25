"""Values of a row that are made of other entities' rows, read once for all the rows of a page.

A model declares a computed value that answers `batched(self, name)`; a service says how it is read for many rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from app.core.entity import Entity

Loader = Callable[[Sequence[int]], Mapping[int, Any]]
_loaders: dict[tuple[str, str], Loader] = {}


def register_batch(model: type[Entity], name: str, loader: Loader) -> None:
    """Say how a value is read: from the keys of rows to the value of each that has one."""
    _loaders[model.__name__, name] = loader


def load_batch(rows: Sequence[Entity], names: Iterable[str]) -> None:
    """Read these values of rows of one entity, as far as they are read that way: one call of the loader each."""
    for name in names:
        loader = _loaders.get((type(rows[0]).__name__, name)) if rows else None
        if loader is not None:
            values = loader([row.id for row in rows])
            for row in rows:
                row.__dict__[f"batched {name}"] = values.get(row.id)


def batched(row: Entity, name: str) -> Any:
    """The value of one row, read with those of its page or else alone."""
    key = f"batched {name}"
    if key not in row.__dict__:
        load_batch([row], [name])
    return row.__dict__.get(key)
