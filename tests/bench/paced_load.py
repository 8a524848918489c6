"""A publisher at a steady rate whose payloads tell when they were written: nanoseconds of CLOCK_MONOTONIC, then filler.

Run as a process of its own: paced_load.py PORT TOPIC RATE SECONDS PAYLOAD_BYTES. Ends when the broker has acknowledged all."""

import select
import socket
import struct
import sys
import time

from mqtt_load import packet, text

TICK = 0.001  # seconds between two writes


def main(port: int, topic: str, rate: int, seconds: float, payload_bytes: int) -> None:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(packet(0x10, text("MQTT") + bytes([4, 0x02]) + struct.pack("!H", 60) + text(topic.split("/")[1])))
    assert connection.recv(4) == bytes([0x20, 2, 0, 0]), "not accepted"
    head = text(topic)
    count = int(rate * seconds)
    began = time.monotonic()
    sent = acknowledged = 0
    while acknowledged < 4 * count:
        due = min(count, int((time.monotonic() - began) * rate) + 1)
        if sent < due and sent - acknowledged // 4 < 60_000:  # packet ids are not used twice at a time
            pieces = []
            for number in range(sent, due):
                payload = (b"%d " % time.monotonic_ns()).ljust(payload_bytes, b"x")
                pieces.append(packet(0x32, head + struct.pack("!H", number % 65_000 + 1) + payload))
            connection.sendall(b"".join(pieces))
            sent = due
        if select.select([connection], [], [], TICK if sent < count else 10)[0]:
            data = connection.recv(65536)
            assert data, "the broker closed the connection"
            acknowledged += len(data)  # a PUBACK is 4 bytes and nothing else comes
    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
