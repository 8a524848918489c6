"""Devices that come and go at a steady rate, over one plain connection: what each says on its control/out.

Run as a process of its own: presence_load.py PORT PREFIX RATE SECONDS DEVICES. Writes "begins", and at the end, when the broker has
acknowledged all, the rate that it really kept, as JSON."""

import json
import select
import socket
import struct
import sys
import time

from mqtt_load import packet, text
from recorder_load import Fleet

TICK = 0.002  # seconds between two writes
MOST_WAITING = 20_000  # without an acknowledgement; packet ids are not used twice at a time


def main(port: int, prefix: str, rate: int, seconds: float, devices: int) -> None:
    fleet = Fleet(devices)
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(packet(0x10, text("MQTT") + bytes([4, 0x02]) + struct.pack("!H", 60) + text("presence-load")))
    assert connection.recv(4) == bytes([0x20, 2, 0, 0]), "not accepted"
    print("begins", flush=True)

    def message(count: int) -> bytes:
        a_round, at = divmod(count, devices)
        number = fleet.order[at]
        topic = text(f"{prefix}/{fleet.client_id(number)}/control/out")
        return packet(0x32, topic + struct.pack("!H", count % 65_000 + 1) + fleet.payload(number, a_round).encode())

    wanted = int(rate * seconds)
    began = time.monotonic()
    sent = acknowledged = 0
    written = 0.0
    while acknowledged < 4 * wanted:
        due = min(wanted, int((time.monotonic() - began) * rate) + 1, acknowledged // 4 + MOST_WAITING)
        if sent < due:
            connection.sendall(b"".join(message(count) for count in range(sent, due)))
            sent, written = due, time.monotonic() - began
        if select.select([connection], [], [], TICK if sent < wanted else 30)[0]:
            data = connection.recv(65536)
            assert data, "the broker closed the connection"
            acknowledged += len(data)  # a PUBACK is 4 bytes and nothing else comes
        elif sent == wanted:
            raise AssertionError(f"{wanted - acknowledged // 4} messages are not acknowledged")
    print(json.dumps({"rate": sent / written}), flush=True)
    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
