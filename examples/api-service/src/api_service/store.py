"""Where notes are kept."""

from typing import Any, Protocol

import orjson


class Store(Protocol):
    """Something that keeps a JSON document under a name."""

    def put(self, name: str, document: Any) -> None: ...

    def get(self, name: str) -> Any | None: ...


class MemoryStore:
    """Keeps documents as long as the process lives."""

    def __init__(self) -> None:
        self._documents: dict[str, bytes] = {}

    def put(self, name: str, document: Any) -> None:
        self._documents[name] = orjson.dumps(document)

    def get(self, name: str) -> Any | None:
        found = self._documents.get(name)
        return None if found is None else orjson.loads(found)


class S3Store:
    """Keeps documents as objects of an S3 bucket."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        if client is None:
            # On AWS Lambda, boto3 is the runtime's own: it is not in the bundle.
            import boto3

            client = boto3.client("s3")
        self._bucket = bucket
        self._client = client

    def put(self, name: str, document: Any) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=f"{name}.json",
            Body=orjson.dumps(document),
            ContentType="application/json",
        )

    def get(self, name: str) -> Any | None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=f"{name}.json")
        except self._client.exceptions.NoSuchKey:
            return None
        return orjson.loads(found["Body"].read())


def open_store(bucket: str | None) -> Store:
    """The store for a bucket, or one in memory without a bucket."""
    return S3Store(bucket) if bucket else MemoryStore()
