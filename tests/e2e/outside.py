"""A device as somebody else would write it: it knows docs/PROTOCOL.md and the file stack.env, and nothing of this project."""

import json
import queue
import shlex
import ssl
import threading
import uuid
from datetime import datetime, timezone

import paho.mqtt.client as paho


def read_stack_env(path) -> dict:
    """NAME=value lines, quoted as a shell would read them."""
    words = shlex.split(open(path, encoding="utf-8").read(), comments=True)
    return dict(word.split("=", 1) for word in words)


def envelope(kind: str, content, **more) -> bytes:
    sent = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = {"type": kind, "message_id": str(uuid.uuid4()), "version": 1, "sent": sent, "content": content, **more}
    return json.dumps(message).encode()


class Device:
    """MQTT 3.1.1, as most devices speak it. Threads: one thread; paho's own thread fills the queues."""

    def __init__(self, env: dict, name: str):
        self._env = env
        self.name = name
        self.actions = queue.Queue()
        self.commands = queue.Queue()
        self._connected = threading.Event()
        self._subscribed = threading.Event()
        self._client = paho.Client(client_id=name, clean_session=True, protocol=paho.MQTTv311)
        certs = env["HELIOGRAPH_CERTS"]
        context = ssl.create_default_context(cafile=f"{certs}/ca.crt")
        context.load_cert_chain(f"{certs}/{name}.crt", f"{certs}/{name}.key")
        self._client.tls_set_context(context)
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take

    def topic(self, channel: str, direction: str) -> str:
        return f"{self._env['HELIOGRAPH_TOPIC_PREFIX']}/{self.name}/{channel}/{direction}"

    def connect(self, will: bytes) -> None:
        """With its last will; subscribed to both of its topics when this returns."""
        self._client.will_set(self.topic("control", "out"), will, qos=1)
        self._client.connect(self._env["HELIOGRAPH_MQTT_HOST"], int(self._env["HELIOGRAPH_MQTT_PORT"]))
        self._client.loop_start()
        assert self._connected.wait(10), "no CONNACK"
        self._client.subscribe([(self.topic("control", "in"), 1), (self.topic("data", "in"), 1)])
        assert self._subscribed.wait(10), "no SUBACK"

    def say(self, channel: str, payload: bytes, qos: int = 1) -> None:
        sent = self._client.publish(self.topic(channel, "out"), payload, qos)
        sent.wait_for_publish(10)
        assert sent.is_published()

    def lose_power(self) -> None:
        self._client.loop_stop()
        self._client.socket().close()

    def disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client, _data, message) -> None:
        assert message.topic in (self.topic("control", "in"), self.topic("data", "in")), message.topic
        target = self.commands if message.topic == self.topic("control", "in") else self.actions
        target.put(json.loads(message.payload))
