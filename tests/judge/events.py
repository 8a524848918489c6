"""connection.events beside the fold of the log: none missing, none invented, each device's in order."""

import json


class Events:
    """The records of connection.events. Threads: one thread."""

    def __init__(self):
        self._first = {}  # (partition, offset) in device.control -> (kind, client id), in the order of their appearance
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
            elif (int(partition), int(offset)) in self._first:
                self.repeats += 1
            else:
                self._first[int(partition), int(offset)] = told

    def problems(self, wanted: list) -> list:
        """`wanted`: fold.Event. Sentences; empty = none."""
        expected = {(one.partition, one.offset): (one.kind, one.client_id) for one in wanted}
        missing = [f"no event {expected[at]} of {at}" for at in expected if at not in self._first]
        invented = [f"event {told} of {at} should be {expected.get(at, 'none')}"
                    for at, told in self._first.items() if expected.get(at) != told]  # fmt: skip
        return self._wrong + missing + invented + self._out_of_order()

    def _out_of_order(self) -> list:
        last, found = {}, []
        for at, (_, client_id) in self._first.items():
            if at < last.get(client_id, (-1, -1)):
                found.append(f"event of {client_id} out of order: {at} after {last[client_id]}")
            last[client_id] = at
        return found
