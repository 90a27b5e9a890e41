"""The web application: ``uvicorn api_service.app:app`` serves it."""

from typing import Annotated

import httpx
from fastapi import FastAPI, HTTPException, Path
from pydantic import BaseModel, Field

from api_service import __version__
from api_service.settings import Settings
from api_service.store import Store, open_store

Name = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$")]


class Note(BaseModel):
    """A note."""

    text: str = Field(min_length=1, max_length=10_000)
    tags: list[str] = []


def create_app(settings: Settings, store: Store) -> FastAPI:
    """Build the application on a store."""
    app = FastAPI(title="api-service", version=__version__)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether this service, and what it depends on, can do its work."""
        if settings.upstream is not None:
            async with httpx.AsyncClient(timeout=2) as client:
                try:
                    (await client.get(settings.upstream)).raise_for_status()
                except httpx.HTTPError as error:
                    raise HTTPException(503, "upstream is not answering") from error
        return {"status": "ok", "version": __version__}

    @app.put("/notes/{name}", status_code=204)
    def write(name: Name, note: Note) -> None:
        """Keep a note, in place of the one of that name if there is one."""
        store.put(name, note.model_dump())

    @app.get("/notes/{name}")
    def read(name: Name) -> Note:
        """The note of that name."""
        document = store.get(name)
        if document is None:
            raise HTTPException(404, "no such note")
        return Note.model_validate(document)

    return app


settings = Settings.from_environment()
app = create_app(settings, open_store(settings.bucket))
