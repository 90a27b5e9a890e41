"""What mkdocs does besides its own: the changelog page is CHANGELOG.md."""

from pathlib import Path
from typing import Any

CHANGELOG = Path(__file__).parent.parent / "CHANGELOG.md"


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Replace the text of one page; mkdocs calls this for each."""
    if page.file.src_uri == "changelog.md":
        return CHANGELOG.read_text(encoding="utf-8")
    return markdown
