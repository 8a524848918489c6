"""A publisher that costs next to nothing: MQTT 3.1.1 packets made beforehand, acknowledgements only counted.

Run as a process of its own: mqtt_load.py PORT TOPIC COUNT PAYLOAD_BYTES. Ends when the broker has acknowledged all."""

import socket
import struct
import sys

# Packets in one write, and writes that may be unacknowledged: enough to keep the broker busy, below its 65,535 packet ids.
CHUNK = 100
CHUNKS_IN_FLIGHT = 4


def length(size: int) -> bytes:
    encoded = b""
    while True:
        size, digit = divmod(size, 128)
        encoded += bytes([digit | (0x80 if size else 0)])
        if not size:
            return encoded


def packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + length(len(body)) + body


def text(value: str) -> bytes:
    return struct.pack("!H", len(value)) + value.encode()


def publishes(topic: str, first: int, count: int, payload_bytes: int) -> bytes:
    filler = b"x" * payload_bytes
    packets = []
    for number in range(first, first + count):
        payload = (b"%d " % number + filler)[:payload_bytes]
        packets.append(packet(0x32, text(topic) + struct.pack("!H", number % 65_000 + 1) + payload))
    return b"".join(packets)


def main(port: int, topic: str, count: int, payload_bytes: int) -> None:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connect = text("MQTT") + bytes([4, 0x02]) + struct.pack("!H", 60) + text(topic.split("/")[1])
    connection.sendall(packet(0x10, connect))
    assert connection.recv(4) == bytes([0x20, 2, 0, 0]), "not accepted"
    sent = acknowledged = 0
    while acknowledged < 4 * count:
        while sent < count and sent - acknowledged // 4 <= CHUNK * (CHUNKS_IN_FLIGHT - 1):
            part = min(CHUNK, count - sent)
            connection.sendall(publishes(topic, sent, part, payload_bytes))
            sent += part
        data = connection.recv(65536)
        assert data, "the broker closed the connection"
        acknowledged += len(data)  # a PUBACK is 4 bytes and nothing else comes
    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
