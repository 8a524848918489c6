"""Who is online, by the log alone: a second, slow and obvious reading of the rules in docs/ARCHITECTURE.md.

Nothing of this is shared with the C++ that it judges. A `Fold` takes the records of `device.control` in the order of
mapping.py and gives the rows that `connections` and `intervals` must hold, and the events that must have been told.
"""

import json
import re
from dataclasses import dataclass, field

CLIENT_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}\Z")
DEEPEST = 64
TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)


class Refused(Exception):
    """The record belongs in the dead letters and changes nothing."""


@dataclass
class Record:
    partition: int
    offset: int
    time_ms: int  # when Kafka stored it
    key: bytes
    value: bytes


@dataclass
class Interval:
    partition: int
    offset: int
    session_id: str
    message_id: str
    online_from_ms: int
    online_until_ms: int = None
    reason: str = None


@dataclass
class Connection:
    client_id: str
    state: str = "unknown"
    since_ms: int = 0
    reason: str = None
    last_seen_ms: int = 0
    session_id: str = None
    client_name: str = None
    client_version: str = None
    dispatchers: object = None
    canonical_facts: object = None
    tags: object = None
    log_position: tuple = None
    intervals: list = field(default_factory=list)

    def open_interval(self):
        return next((one for one in self.intervals if one.online_until_ms is None), None)

    def describe(self, content) -> bool:
        """True: something of it is different from before."""
        before = self._description()
        for name in ("client_name", "client_version"):
            setattr(self, name, content.get(name) or None)
        for name in ("dispatchers", "canonical_facts", "tags"):
            setattr(self, name, content.get(name))
        return self._description() != before

    def _description(self):
        return self.client_name, self.client_version, self.dispatchers, self.canonical_facts, self.tags


@dataclass(frozen=True)
class Event:
    """What connection.events must tell of a record, at least once."""

    kind: str  # online, offline, changed
    client_id: str
    partition: int
    offset: int


def _no_duplicates(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise Refused("a name stands twice")
    return dict(pairs)


def _number(text):
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused("a number out of range")
    return value


def _constant(text):
    raise Refused(f"{text} is not JSON")


def _depth(text):
    deepest = depth = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            in_string = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            in_string, escaped = True, False
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _without_nul(value):
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nul(one) for one in value]
    if isinstance(value, dict):
        return {name.replace("\0", ""): _without_nul(one) for name, one in value.items()}
    return value


def _check_text(value):
    if isinstance(value, str):
        value.encode("utf-8")  # half a surrogate pair raises
    elif isinstance(value, list):
        for one in value:
            _check_text(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            _check_text(name)
            _check_text(one)


def _word(object_, name):
    value = object_.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value.encode("utf-8")) > 256:
        raise Refused(f"{name} is not a short string")
    return value


def _check_sent(root):
    sent = root.get("sent")
    if sent is None or sent == "":
        return
    parts = TIME.match(sent) if isinstance(sent, str) else None
    if not parts or not 1970 <= int(parts[1]) <= 2261:
        raise Refused("sent is not a time of this age")


def _check_description(content):
    dispatchers, tags = content.get("dispatchers"), content.get("tags")
    if dispatchers is not None and not (
            isinstance(dispatchers, dict)
            and all(one is None or isinstance(one, dict) for one in dispatchers.values())):
        raise Refused("dispatchers")
    if tags is not None and not (
            isinstance(tags, dict) and all(isinstance(one, str) for one in tags.values())):
        raise Refused("tags")
    for name in ("session_id", "client_name", "client_version"):
        _word(content, name)


def parse(value):
    """(kind, message id, content), or Refused."""
    try:
        text = value.decode("utf-8")
        # Fewer brackets than that cannot be deeper, and counting them is quick.
        if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
            raise Refused("too deep")
        root = json.loads(text, object_pairs_hook=_no_duplicates, parse_float=_number,
                          parse_int=lambda digits: int(digits) if len(digits) < 19 else _number(digits),
                          parse_constant=_constant)
        _check_text(root)
    except (ValueError, RecursionError) as error:
        raise Refused(str(error)) from error
    if not isinstance(root, dict) or root.get("type") is None:
        raise Refused("not an envelope")
    root = _without_nul(root)
    kind, message_id = _word(root, "type"), _word(root, "message_id")
    _word(root, "response_to")
    version = root.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version != 1):
        raise Refused("version")
    _check_sent(root)
    content = root.get("content")
    if kind == "event":
        if content is None:
            raise Refused("no content")
        return "event", message_id, {"name": _word(root, "content")}
    if kind != "connection-status":
        raise Refused("unknown type")
    if not isinstance(content, dict):
        raise Refused("content is not an object")
    state = _word(content, "state")
    if state == "online":
        _check_description(content)
    elif state == "offline":
        _word(content, "session_id")
        _word(content, "reason")
    else:
        raise Refused("state")
    return state, message_id, content


def _apply_online(connection, message_id, content, record):
    """The kind of event that it is; empty: none."""
    session = content.get("session_id") or None
    opened = connection.open_interval()
    same = next((one for one in connection.intervals
                 if session and message_id and (one.session_id, one.message_id) == (session, message_id)), None)
    if same is not None and same is opened:
        connection.describe(content)
        return ""
    if same is None and opened is not None and opened.session_id == session:
        return "changed" if connection.describe(content) else ""
    if opened is not None:
        opened.online_until_ms = max(record.time_ms, opened.online_from_ms)
        opened.reason = "superseded"
    if same is None:
        same = Interval(record.partition, record.offset, session, message_id, record.time_ms)
        connection.intervals.append(same)
    same.online_until_ms = same.reason = None
    connection.state, connection.reason = "online", "said_online"
    connection.since_ms, connection.session_id = same.online_from_ms, session
    connection.describe(content)
    return "online"


def _apply_offline(connection, content, record):
    """As above."""
    session, reason = content.get("session_id") or None, content.get("reason") or "said_offline"
    opened = connection.open_interval()
    if opened is None:
        if connection.state == "offline":
            return ""
    else:
        late = session and opened.session_id and session != opened.session_id and any(
            one.session_id == session and one.online_until_ms is not None for one in connection.intervals)
        if late:
            return ""
        opened.online_until_ms = max(record.time_ms, opened.online_from_ms)
        opened.reason = reason
    connection.state, connection.since_ms, connection.reason = "offline", record.time_ms, reason
    return "offline"


class Fold:
    """Takes the log in as many parts as one likes. Threads: one thread."""

    def __init__(self):
        self.connections = {}  # client id -> Connection
        self.refused = []  # (partition, offset) of what belongs in the dead letters
        self.events = []  # Event, each device's in its order

    def take(self, records):
        for record in records:
            if record.value:
                self._take(record)

    def _take(self, record):
        try:
            if not CLIENT_ID.match(record.key or b""):
                raise Refused("bad client id")
            state, message_id, content = parse(record.value)
        except Refused:
            self.refused.append((record.partition, record.offset))
            return
        client_id, event = record.key.decode("ascii"), ""
        connection = self.connections.setdefault(client_id, Connection(client_id))
        if state == "online":
            event = _apply_online(connection, message_id, content, record)
        elif state == "offline":
            event = _apply_offline(connection, content, record)
        elif connection.state == "unknown":
            connection.since_ms = record.time_ms
        connection.last_seen_ms = record.time_ms
        connection.log_position = (record.partition, record.offset)
        if event:
            self.events.append(Event(event, client_id, record.partition, record.offset))


def fold(records):
    """{client id: Connection} after all records, and the positions of those that were refused."""
    whole = Fold()
    whole.take(records)
    return whole.connections, whole.refused
