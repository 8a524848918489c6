"""The tables of the recorder beside an independent reading of the log (tests/judge)."""

from collections import Counter

from harness import wait
from judge import fold, mapping

CONNECTION = "client_id, state, since, reason, last_seen, session_id, client_name, client_version, log_partition, log_offset"
INTERVAL = "client_id, opened_partition, opened_offset, online_from, online_until, reason, session_id, message_id"


def wait_until_applied(stack, topic: str = "device.control", seconds: float = 60) -> None:
    """Returns when the recorder has applied all that is in the topic now."""
    ends = {}
    for record in stack.records(topic):
        ends[record.partition] = record.offset + 1

    def applied() -> bool:
        rows = stack.query("SELECT partition, next_offset FROM kafka_offsets WHERE topic = %s", topic)
        offsets = {row["partition"]: row["next_offset"] for row in rows}
        return all(offsets.get(partition, 0) >= end for partition, end in ends.items())

    wait.until(applied, "the recorder has applied the log", seconds)


def tables(stack) -> dict:
    """Every row that is a function of the log."""
    return {
        name: stack.query(f"SELECT * FROM {name} ORDER BY {order}")
        for name, order in {
            "connections": "client_id",
            "connection_descriptions": "client_id",
            "connection_labels": "client_id, label",
            "intervals": "client_id, opened_generation, opened_partition, opened_offset",
        }.items()
    }


def differences(stack, like: str = "%") -> list:
    """Between the tables and the fold of the log, of the client ids that are LIKE this; empty = none."""
    looks = [stack.records("device.control")]
    records = [
        fold.Record(record.partition, record.offset, record.timestamp_ms, record.key, record.value)
        for record in mapping.in_order(lambda: looks.pop() if looks else [], mapping.Mappings())
    ]
    connections, _ = fold.fold(records)
    wanted = {name: one for name, one in connections.items() if name.startswith(like.rstrip("%"))}
    assert wanted, "there is nothing to compare"
    return compare(stack, wanted, like)


def compare(stack, wanted: dict, like: str = "%") -> list:
    """Of the tables with what a fold has made of the log."""
    rows = stack.query(f"SELECT {CONNECTION} FROM connections WHERE client_id LIKE %s ORDER BY client_id", like)
    stays = stack.query(
        f"SELECT {INTERVAL} FROM intervals WHERE client_id LIKE %s ORDER BY client_id, opened_partition, opened_offset", like
    )
    return _compare(
        [_from_fold(one) for _, one in sorted(wanted.items())], [_from_row(row) for row in rows]
    ) + _compare([_stay(name, one) for name in sorted(wanted) for one in wanted[name].intervals], [_row(s) for s in stays])


def _compare(wanted: list, found: list) -> list:
    missing, extra = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    return [f"should be {row}" for row in missing.elements()] + [f"should not be {row}" for row in extra.elements()]


def _milliseconds(time):
    return None if time is None else round(time.timestamp() * 1000)


def _from_fold(one) -> tuple:
    return (one.client_id, one.state, one.since_ms, one.reason, one.last_seen_ms, one.session_id, one.client_name,
            one.client_version, *one.log_position)  # fmt: skip


def _from_row(row: dict) -> tuple:
    return (row["client_id"], row["state"], _milliseconds(row["since"]), row["reason"], _milliseconds(row["last_seen"]),
            row["session_id"], row["client_name"], row["client_version"], row["log_partition"],
            row["log_offset"])  # fmt: skip


def _stay(name: str, one) -> tuple:
    return (name, one.partition, one.offset, one.online_from_ms, one.online_until_ms, one.reason, one.session_id,
            one.message_id or None)  # fmt: skip


def _row(row: dict) -> tuple:
    return (row["client_id"], row["opened_partition"], row["opened_offset"], _milliseconds(row["online_from"]),
            _milliseconds(row["online_until"]), row["reason"], row["session_id"], row["message_id"])  # fmt: skip
