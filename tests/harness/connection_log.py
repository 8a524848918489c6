"""What the recorder writes of connections that come, go and change, without a recorder."""

import itertools
import json

_OFFSETS = itertools.count(1)


def rows_of(changes) -> tuple:
    """What the recorder stores of one batch: (client id, tenant, online|offline|changed) each."""
    lines, first = [], None
    for client_id, tenant, change in changes:
        offset = next(_OFFSETS)
        first = first or offset
        event = {
            "specversion": "1.0", "id": f"device.control/0/{offset}", "source": "/heliograph/recorder/1",
            "type": f"heliograph.connection.{change}", "subject": client_id, "time": "2026-11-22T00:00:00Z",
            "datacontenttype": "application/json",
            "data": {"client_id": client_id, "tenant": tenant or None, "state": "online" if change == "online" else "offline"},
        }  # fmt: skip
        lines.append("\t".join((client_id, tenant, change, str(offset), json.dumps(event, separators=(",", ":")))) + "\n")
    return first, offset, "".join(lines)


STORE = (
    "INSERT INTO connection_log (log_generation, log_partition, first_offset, last_offset, events) VALUES (1, 0, %s, %s, %s)"
)


def tell(api, *changes) -> None:
    api.query(STORE, *rows_of(changes))
