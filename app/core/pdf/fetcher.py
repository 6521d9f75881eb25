"""The only door of the renderer to the outside: it opens for PNG images inside the document and nothing else."""

from typing import Any

from weasyprint.urls import FatalURLFetchingError, URLFetcher

PREFIX = "data:image/png;base64,iVBORw0KGgo"
"""Images come with the template's own data; these letters are the PNG signature."""
MAX_LENGTH = 100_000
"""Characters of a data address."""


class LockedFetcher(URLFetcher):
    """Refuses files, hosts, redirects and other formats; remembers refusals, because inline SVG swallows them."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), allow_redirects=False)
        self.refused: list[str] = []

    def fetch(self, url: str, headers: Any = None) -> Any:
        """Return the image. FatalURLFetchingError, which ends the render, for any other address."""
        if url.startswith(PREFIX) and len(url) <= MAX_LENGTH:
            return super().fetch(url, headers)
        self.refused.append(url[:80])
        raise FatalURLFetchingError(f"refused {url[:80]}")
