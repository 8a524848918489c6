"""What the recorder is measured against: the rows that PostgreSQL has to hold in the end, and nothing else done for them."""

from datetime import datetime, timedelta, timezone

from recorder_load import Fleet

FIRST_SAID = datetime(2026, 1, 1, tzinfo=timezone.utc)


def text_array(values) -> str:
    """PostgreSQL's text form of a text[]; None is NULL."""
    def element(value) -> str:
        if value is None:
            return "NULL"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "{" + ",".join(map(element, values)) + "}"


class BareUpserts:
    """The rows that PostgreSQL has to hold after each batch, by set-based upserts and nothing else: nobody reads Kafka, looks up
    what was, decides, or tells. Threads: one thread."""

    _CONNECTIONS = (
        "INSERT INTO connections AS c (client_id, tenant, state, since, reason, last_seen, session_id, client_name,"
        " client_version, log_generation, log_partition, log_offset)"
        " SELECT id, 'demo', %s, at, %s, at, session, 'fleet', '1.0.0', 1, 0, position"
        " FROM unnest(%s::text[], %s::timestamptz[], %s::text[], %s::bigint[]) AS n(id, at, session, position)"
        " ON CONFLICT (client_id) DO UPDATE SET state = excluded.state, since = excluded.since, reason = excluded.reason,"
        " last_seen = excluded.last_seen, session_id = excluded.session_id, log_offset = excluded.log_offset"
    )
    _INTERVALS = (
        "INSERT INTO intervals (client_id, opened_generation, opened_partition, opened_offset, online_from, online_until,"
        " reason, session_id, message_id)"
        " SELECT id, 1, 0, position, opened, closed, reason, session, message FROM unnest(%s::text[], %s::bigint[],"
        " %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[])"
        " AS n(id, position, opened, closed, reason, session, message)"
        " ON CONFLICT (client_id, online_from, opened_generation, opened_partition, opened_offset)"
        " DO UPDATE SET online_until = excluded.online_until, reason = excluded.reason"
    )
    _DESCRIPTIONS = (
        "WITH n AS (SELECT * FROM unnest(%s::text[], %s::json[], %s::text[]) AS n(client_id, facts, site)),"
        " told AS (INSERT INTO connection_descriptions SELECT client_id, facts, '{\"rhc-worker\":{\"version\":\"1\"}}',"
        "   json_build_object('site', site) FROM n)"
        " INSERT INTO connection_labels SELECT label, client_id FROM n,"
        " LATERAL (VALUES (tag_label('site', site)), (dispatcher_label('rhc-worker'))) AS l(label)"
    )

    def __init__(self, fleet: Fleet, batch: int):
        self._fleet = fleet
        self._batch = batch

    def statements(self, rounds: int):
        """Each batch as a list of (statement, parameters): one transaction."""
        for a_round in range(rounds):
            for begin in range(0, self._fleet.devices, self._batch):
                yield self._of(a_round, begin, sorted(self._fleet.order[begin : begin + self._batch]))

    def _of(self, a_round: int, begin: int, numbers: list) -> list:
        fleet, online = self._fleet, a_round % 2 == 0
        ids = text_array(fleet.client_id(number) for number in numbers)
        first = a_round * fleet.devices + begin
        positions = "{" + ",".join(str(first + n) for n in range(len(numbers))) + "}"
        sessions = text_array(fleet.session(number, a_round) for number in numbers)
        at = text_array([self._at(a_round, begin)] * len(numbers))
        said = "said_online" if online else "connection_lost"
        batch = [(self._CONNECTIONS, ("online" if online else "offline", said, ids, at, sessions, positions))]
        opened_round = a_round - a_round % 2
        opened = text_array([self._at(opened_round, begin)] * len(numbers))
        opened_positions = "{" + ",".join(str(opened_round * fleet.devices + begin + n) for n in range(len(numbers))) + "}"
        closed = text_array([None if online else self._at(a_round, begin)] * len(numbers))
        reasons = text_array([None if online else said] * len(numbers))
        messages = text_array(fleet.message_id(number, opened_round) for number in numbers)
        batch.append((self._INTERVALS, (ids, opened_positions, opened, closed, reasons, sessions, messages)))
        if a_round == 0:
            told = text_array(fleet.facts[number] for number in numbers)
            batch.append((self._DESCRIPTIONS, (ids, told, text_array(f"s{number % 500}" for number in numbers))))
        return batch

    @staticmethod
    def _at(a_round: int, begin: int) -> str:
        return (FIRST_SAID + timedelta(hours=a_round, milliseconds=begin)).isoformat()
