"""Run the handler on an event from standard input: JSON, or YAML if installed."""

import json
import sys
from typing import Any

from legacy_faas.handler import handler


def read_event(text: str) -> Any:
    """Parse an event; YAML needs the extra ``yaml``, JSON needs nothing."""
    try:
        import yaml
    except ImportError:
        return json.loads(text)
    return yaml.safe_load(text)


if __name__ == "__main__":
    json.dump(handler(read_event(sys.stdin.read())), sys.stdout, indent=2)
    sys.stdout.write("\n")
