"""The records of a topic in an order in which each device's stand as it has sent them, also where the topic has got more partitions."""


class Mappings:
    """Ingest tells of each record among how many partitions it shared the keys out. It begins with another number only when
    Kafka has all that it sent by the one before. So what was sent by 3 comes before what was sent by 6, whatever the
    partition. Threads: one thread."""

    def __init__(self):
        self._reached = {}  # partition -> (mapping, time) of what was taken

    def newest(self) -> int:
        return max((mapping for mapping, _ in self._reached.values()), default=0)

    def take(self, records: list) -> list:
        """Pairs to sort by first. `records`: each partition's in order."""
        pairs = []
        for record in records:
            mapping, time_ms = self._reached.get(record.partition, (0, 0))
            mapping = max(mapping, int(record.header("ingest.partitions") or 0))
            time_ms = max(time_ms, record.timestamp_ms)
            self._reached[record.partition] = mapping, time_ms
            pairs.append(((mapping, time_ms, record.partition, record.offset), record))
        return pairs


def in_order(read, mappings: Mappings) -> list:
    """All of it. `read()`: what is new, up to the ends that it asks for."""
    known = mappings.newest()
    pairs = mappings.take(read())
    while mappings.newest() > known:
        # What was sent by an earlier number may have been stored after that partition was looked at, but it is there now.
        known = mappings.newest()
        pairs += mappings.take(read())
    return [record for _, record in sorted(pairs, key=lambda pair: pair[0])]
