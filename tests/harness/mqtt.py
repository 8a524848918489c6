"""An MQTT client over mutual TLS that keeps what it received."""

import queue
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
from harness.certificates import Pair
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

HOST = "127.0.0.1"


class Refused(Exception):
    """The broker did not let us in, by the handshake or by CONNACK."""


@dataclass(frozen=True)
class Message:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: object


def asking(response_topic: str, correlation: bytes = b"") -> Properties:
    """Of a message whose sender wants a receipt."""
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = response_topic
    if correlation:
        properties.CorrelationData = correlation
    return properties


class _Paho(paho.Client):
    """paho 1.6 lets its thread die of what TLS 1.3 tells late, as the refusal of our certificate, and calls nobody."""

    def _thread_main(self):
        try:
            super()._thread_main()
        except OSError:
            self.on_disconnect()


class Client:
    """One connection. Threads: one thread; paho's own thread fills the queue of messages."""

    def __init__(self, port: int, authority: Path, certificate: Pair = None, client_id: str = "", version=paho.MQTTv5):
        self._port = port
        self._version = version
        self._connected = threading.Event()
        self._refusal = ""
        self.lost = threading.Event()
        self.messages = queue.Queue()
        clean = {} if version == paho.MQTTv5 else {"clean_session": True}
        self._client = _Paho(client_id, protocol=version, **clean)
        context = ssl.create_default_context(cafile=authority)
        if certificate:
            context.load_cert_chain(certificate.certificate, certificate.key)
        self._client.tls_set_context(context)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def _on_connect(self, _client, _data, _flags, reason, *_properties):
        code = getattr(reason, "value", reason)
        self._refusal = "" if code == 0 else str(reason)
        self._connected.set()

    def _on_disconnect(self, *_):
        self.lost.set()
        self._client.disconnect()  # or paho would connect again

    def _on_message(self, _client, _data, message):
        properties = getattr(message, "properties", None)
        self.messages.put(Message(message.topic, message.payload, message.qos, bool(message.retain), properties))

    def will(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Before connect()."""
        self._client.will_set(topic, payload, qos)

    def connect(self, keepalive: int = 60, clean: bool = True, expiry_s: int = 0) -> "Client":
        """Raises Refused unless the broker says yes."""
        options = {}
        if self._version == paho.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = expiry_s
            options = {"clean_start": clean, "properties": properties}
        try:
            self._client.connect(HOST, self._port, keepalive, **options)
        except (ssl.SSLError, ConnectionError, OSError) as error:
            raise Refused(str(error)) from error
        self._client.loop_start()
        # In TLS 1.3 the refusal of our certificate arrives after our handshake has succeeded: as a lost connection.
        deadline = time.monotonic() + 10
        while not self._connected.wait(0.02):
            if self.lost.is_set() or time.monotonic() > deadline:
                self.close()
                raise Refused("the broker closed the connection" if self.lost.is_set() else "no CONNACK")
        if self._refusal:
            self.close()
            raise Refused(self._refusal)
        return self

    def subscribe(self, *topics: str, qos: int = 1) -> None:
        """Returns when the broker has answered."""
        answered = threading.Event()
        self._client.on_subscribe = lambda *_: answered.set()
        options = paho.SubscribeOptions(qos=qos) if self._version == paho.MQTTv5 else qos
        self._client.subscribe([(topic, options) for topic in topics])
        assert answered.wait(10), f"no SUBACK for {topics}"

    def publish(self, topic: str, payload: bytes = b"", qos: int = 1, retain: bool = False, properties=None) -> None:
        """Returns when the broker has acknowledged, or at QoS 0 when it is written."""
        options = {"properties": properties} if properties else {}
        sent = self._client.publish(topic, payload, qos, retain, **options)
        deadline = time.monotonic() + 10
        while not sent.is_published() and not self.lost.is_set() and time.monotonic() < deadline:
            sent.wait_for_publish(0.05)
        assert sent.is_published(), f"no acknowledgement for {topic}"

    def next_message(self, seconds: float = 10.0) -> Message:
        return self.messages.get(timeout=seconds)

    def drop(self) -> None:
        """Ends the connection without DISCONNECT, as a device that loses power: the broker sends the will."""
        self._client.loop_stop()
        connection = self._client.socket()
        if connection is not None:
            connection.close()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_exception) -> None:
        self.close()
