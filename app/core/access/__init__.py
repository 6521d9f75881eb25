"""Who may do what to which row: postings compiled to one SQL predicate per entity and verb."""

from app.core.access.context import Access, acting, current_access, has_access_context
from app.core.access.fetch import fetch, may
from app.core.access.policy import Coverage, Grant, grants

__all__ = [
    "Access",
    "Coverage",
    "Grant",
    "acting",
    "current_access",
    "fetch",
    "grants",
    "has_access_context",
    "may",
]
