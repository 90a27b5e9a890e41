"""What the environment says about this deployment."""

import os

from pydantic import BaseModel, Field


class Settings(BaseModel):
    """The settings of one process."""

    bucket: str | None = Field(default=None, description="Where notes are kept; memory if unset.")
    upstream: str | None = Field(
        default=None, description="A URL that must answer for us to be healthy."
    )

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read ``NOTES_BUCKET`` and ``NOTES_UPSTREAM``."""
        return cls(
            bucket=os.environ.get("NOTES_BUCKET") or None,
            upstream=os.environ.get("NOTES_UPSTREAM") or None,
        )
