"""What devices say, in protocol.md's envelope."""

import json
import uuid
from datetime import datetime, timezone


def now() -> str:
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def control(kind: str, content, message_id: str = "", response_to: str = "") -> bytes:
    envelope = {
        "type": kind,
        "message_id": message_id or str(uuid.uuid4()),
        "response_to": response_to,
        "version": 1,
        "sent": now(),
        "content": content,
    }
    return json.dumps(envelope).encode()


def online(session_id: str = "", **content) -> bytes:
    if session_id:
        content["session_id"] = session_id
    return control("connection-status", {"state": "online", **content})


def offline(session_id: str = "", **content) -> bytes:
    if session_id:
        content["session_id"] = session_id
    return control("connection-status", {"state": "offline", **content})


def last_will(session_id: str = "") -> bytes:
    return offline(session_id, reason="connection_lost")


def data(directive: str, content, response_to: str = "", metadata=None, message_id: str = "") -> bytes:
    envelope = {
        "type": "data",
        "message_id": message_id or str(uuid.uuid4()),
        "response_to": response_to,
        "version": 1,
        "sent": now(),
        "directive": directive,
        "metadata": metadata or {},
        "content": content,
    }
    return json.dumps(envelope).encode()
