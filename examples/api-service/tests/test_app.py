import asyncio

import httpx

from api_service.app import create_app
from api_service.settings import Settings
from api_service.store import MemoryStore


def call(method: str, path: str, json: object = None) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, json=json)

    return asyncio.run(send())


APP = create_app(Settings(), MemoryStore())


def test_health() -> None:
    assert call("GET", "/health").json()["status"] == "ok"


def test_a_note_can_be_read_back() -> None:
    assert call("PUT", "/notes/first", {"text": "hello"}).status_code == 204
    assert call("GET", "/notes/first").json() == {"text": "hello", "tags": []}


def test_no_such_note() -> None:
    assert call("GET", "/notes/none").status_code == 404


def test_a_bad_name() -> None:
    assert call("GET", "/notes/NOT_A_NAME").status_code == 422
