"""What devices say, for tests/bench/recorder.py: fleets that come and go, and telemetry."""

import hashlib
import json
import random

from confluent_kafka import Producer

SENT = "2026-01-01T00:00:00.000000Z"
FACTS_BYTES = 1000


def compact(value) -> str:
    return json.dumps(value, separators=(",", ":"))


def facts(number: int) -> str:
    """1 kB, no two alike."""
    word = hashlib.blake2b(b"%d" % number, digest_size=16).hexdigest()
    told = {
        "insights_id": word,
        "machine_id": word[::-1],
        "bios_uuid": f"{word[:8]}-{word[8:12]}-4000-8000-{number:012x}",
        "fqdn": f"device-{number}.site-{number % 500}.example.com",
        "ip_addresses": [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"],
        "mac_addresses": [f"02:42:ac:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"],
        "inverters": [{"serial": f"SN{number:08d}{n:04d}", "firmware": "1.2.3", "watts": 5000 + n} for n in range(8)],
        "note": "",
    }
    told["note"] = "x" * (FACTS_BYTES - len(compact(told)))
    return compact(told)


class Fleet:
    """`devices` in an order of no meaning; in even rounds all come online, in odd ones all leave. Threads: immutable."""

    def __init__(self, devices: int):
        self.devices = devices
        self.order = list(range(devices))
        random.Random(1).shuffle(self.order)
        self.facts = [facts(number) for number in range(devices)]

    @staticmethod
    def client_id(number: int) -> str:
        return f"device-{number:07d}"

    @staticmethod
    def session(number: int, a_round: int) -> str:
        return f"5e550000-0000-4000-{a_round // 2:04x}-{number:012x}"

    @staticmethod
    def message_id(number: int, a_round: int) -> str:
        return f"3e550000-0000-4000-{a_round:04x}-{number:012x}"

    def payload(self, number: int, a_round: int) -> str:
        if a_round % 2 == 0:
            content = (
                f'{{"state":"online","session_id":"{self.session(number, a_round)}","client_name":"fleet",'
                f'"client_version":"1.0.0","dispatchers":{{"rhc-worker":{{"version":"1"}}}},'
                f'"tags":{{"site":"s{number % 500}"}},"canonical_facts":{self.facts[number]}}}'
            )
        else:
            content = (
                f'{{"state":"offline","session_id":"{self.session(number, a_round)}","reason":"connection_lost"}}'
            )
        return (
            f'{{"type":"connection-status","message_id":"{self.message_id(number, a_round)}","response_to":"","version":1,'
            f'"sent":"{SENT}","content":{content}}}'
        )

    def say(self, bootstrap: str, topic: str, rounds: int) -> None:
        send(bootstrap, topic, ((self.client_id(number), self.payload(number, a_round))
                                for a_round in range(rounds) for number in self.order))  # fmt: skip


def telemetry(bootstrap: str, topic: str, count: int, size: int, devices: int = 10_000) -> None:
    """Messages of `size` bytes on `data` that answer nothing."""
    payloads = []
    for number in range(devices):
        head = (
            f'{{"type":"data","message_id":"{number:036x}","response_to":"","version":1,"sent":"{SENT}",'
            f'"directive":"power","metadata":{{}},"content":"'
        )
        payloads.append((Fleet.client_id(number), head + "x" * (size - len(head) - 2) + '"}'))
    send(bootstrap, topic, (payloads[number % devices] for number in range(count)))


def send(bootstrap: str, topic: str, records) -> None:
    """As ingest writes them; returns when Kafka has all."""
    refused = []
    producer = Producer({
        "bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "compression.codec": "lz4", "linger.ms": 20,
        "enable.idempotence": True, "queue.buffering.max.messages": 500_000, "delivery.report.only.error": True,
        "log_level": 0, "on_delivery": lambda error, _: refused.append(error),
    })  # fmt: skip
    for number, (key, value) in enumerate(records):
        while True:
            try:
                producer.produce(topic, key=key, value=value)
                break
            except BufferError:
                producer.poll(0.05)
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0 and not refused, f"Kafka has not taken the records: {refused[:3]}"
