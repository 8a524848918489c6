"""connection.events beside the fold of the log: none missing, none invented, each device's in order."""

import json


class Events:
    """The records of connection.events. Threads: one thread."""

    def __init__(self):
        self._first = {}  # (partition, offset) in device.control -> (kind, client id)
        self._stored = {}  # the same -> the first record of connection.events that tells of it
        self.repeats = 0
        self._wrong = []

    def take(self, records: list) -> None:
        """Each partition's in order; in as many parts as one likes."""
        for record in records:
            event = json.loads(record.value)
            topic, partition, offset = event["id"].split("/")
            told = (event["type"].rpartition(".")[2], event["subject"])
            if topic != "device.control" or told[1].encode() != record.key:
                self._wrong.append(f"a strange event: {event['id']} of {event['subject']}")
                continue
            at = int(partition), int(offset)
            self.repeats += at in self._first
            # Those of one partition come in its order; between partitions Kafka's clock tells.
            if at not in self._first or record.timestamp_ms < self._stored[at].timestamp_ms:
                self._first[at], self._stored[at] = told, record

    def problems(self, wanted: list) -> list:
        """`wanted`: fold.Event, each device's in order. Sentences; empty = none."""
        expected = {(one.partition, one.offset): (one.kind, one.client_id) for one in wanted}
        missing = [f"no event {expected[at]} of {at}" for at in expected if at not in self._first]
        invented = [f"event {told} of {at} should be {expected.get(at, 'none')}"
                    for at, told in self._first.items() if expected.get(at) != told]  # fmt: skip
        return self._wrong + missing + invented + self._out_of_order(expected)

    def _out_of_order(self, expected: dict) -> list:
        last, found = {}, []
        for at, (_, client_id) in expected.items():
            if (record := self._stored.get(at)) is None:
                continue
            before = last.get(client_id)
            if before and not _follows(record, before):
                found.append(f"event of {client_id} out of order: {at} is told at {record.partition}/{record.offset}, "
                             f"the one before it at {before.partition}/{before.offset}")  # fmt: skip
            last[client_id] = record
        return found


def _follows(record, before) -> bool:
    if record.partition == before.partition:
        return record.offset > before.offset
    return record.timestamp_ms >= before.timestamp_ms
