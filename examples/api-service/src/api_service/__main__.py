"""Serve the application: ``python -m api_service``, on ``PORT`` or 8080."""

import os

import uvicorn

if __name__ == "__main__":
    uvicorn.run("api_service.app:app", host="0.0.0.0", port=int(os.environ.get("PORT", "8080")))
