"""Inputs made from the contract's schemas: good ones, bad ones by rule, and any mixture by chance."""

import base64
import datetime
import json
import random
import string
import uuid

ANY_JSON = [None, True, 0, -1.5, 1e300, "", "ü & < \u0000", [], {}, {"a": [1, {"b": None}]}, "x" * 1000]
WRONG = [None, True, 7, 1.5, "", "text", [], [1], {}, {"a": 1}]
# Texts that are no JSON, or none that we take.
BAD_BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "two values": b"{}{}",
    "a comment": b"{}//",
    "a trailing comma": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "NaN": b'{"payload":NaN}',
    "a huge number": b'{"payload":1e999}',
    "a name twice": b'{"directive":"a","directive":"b"}',
    "invalid UTF-8": b'{"directive":"\xff"}',
    "a lone surrogate": b'{"directive":"\\ud800"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "NUL": b"\x00",
    "depth 10,000": b"[" * 10_000,
    "1 MiB of [": b"[" * (1024 * 1024),
    "depth in the payload": b'{"targets":{"client_ids":["a"]},"directive":"d","payload":' + b"[" * 100 + b"]" * 100 + b"}",
}  # fmt: skip


def bad_texts(schema: dict) -> list:
    """Texts that a parameter of this (resolved) schema cannot have."""
    kind = schema.get("type")
    if "enum" in schema:
        return ["", "nonsense", schema["enum"][0].upper(), schema["enum"][0] + " "]
    if kind == "integer":
        return ["", "x", "1.5", "1e2", "+1", " 1", "0x1", str(schema["minimum"] - 1), str(schema["maximum"] + 1), "9" * 30]
    if schema.get("format") == "date-time":
        return ["", "yesterday", "2026-11-21", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00", "1"]
    bad = ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else []
    bad += [""] if schema.get("minLength", 0) > 0 or "pattern" in schema else []
    if schema.get("pattern", "").startswith("^[A-Za-z0-9"):
        bad += ["a b", "a/b", "ü", "a\n", "@a", "%", "+", "#"]
    if schema.get("pattern") == "^[0-9a-f]+$":
        bad += ["zz", "6", "63", "0", "deadbeef", "ff" * 200, "63612d3", "6320", "741", "A"]
    return bad


class Maker:
    """Makes values of a schema. Threads: one thread."""

    def __init__(self, contract, seed: int):
        self._contract = contract
        self._random = random.Random(seed)

    def good(self, schema: dict):
        """A value that the schema takes."""
        schema = self._contract.resolve(schema)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self._random.choice(kind)
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        if kind == "object":
            return self._object(schema)
        if kind == "array":
            count = max(schema.get("minItems", 0), self._random.randint(0, 4))
            made = {json.dumps(self.good(schema["items"])) for _ in range(count)}
            return [json.loads(each) for each in sorted(made)]
        if kind == "integer":
            return self._random.randint(schema.get("minimum", -10), schema.get("maximum", 10))
        if kind == "string":
            return self._string(schema)
        if kind == "boolean":
            return self._random.random() < 0.5
        return None if kind == "null" else self._random.choice(ANY_JSON)

    def _object(self, schema: dict) -> dict:
        made = {}
        choices = [name for each in schema.get("oneOf", ()) for name in each["required"]]
        left_out = set(choices) - {self._random.choice(choices)} if choices else set()
        for name, inner in schema.get("properties", {}).items():
            if name in left_out:
                continue
            if name in set(choices) or name in schema.get("required", ()) or self._random.random() < 0.5:
                made[name] = self.good(inner)
        for each in schema.get("allOf", ()):  # never together with the first
            for name in each["not"]["required"][1:]:
                made.pop(name, None)
        if schema.get("additionalProperties") is False:
            return made
        if isinstance(schema.get("additionalProperties"), dict):
            for _ in range(self._random.randint(0, 3)):
                made[self._word(1, 20)] = self.good(schema["additionalProperties"])
        elif self._random.random() < 0.2:
            made["unknown_" + self._word(1, 5)] = self._random.choice(ANY_JSON)
        return made

    def _string(self, schema: dict) -> str:
        least = max(schema.get("minLength", 0), 1)
        if "x-days-ahead" in schema:
            ahead = datetime.timedelta(days=schema["x-days-ahead"]) * self._random.uniform(0.01, 0.99)
            return (datetime.datetime.now(datetime.timezone.utc) + ahead).isoformat()
        if schema.get("format") == "uuid":
            return str(uuid.UUID(int=self._random.getrandbits(128)))
        if schema.get("format") == "uri":  # of nobody, for ever
            return f"https://{self._random.getrandbits(64):x}.invalid/{self._word(1, 10)}"
        if schema.get("pattern", "").startswith("^whsec_"):
            return "whsec_" + base64.b64encode(self._random.randbytes(self._random.randint(24, 64))).decode()
        if schema.get("format") == "date-time":
            return f"20{self._random.randint(10, 99)}-0{self._random.randint(1, 9)}-11T10:20:30Z"
        if schema.get("pattern", "").startswith("^[^:]"):
            return self._word(1, 10).replace(":", "-") + ":" + self._word(0, 10)
        return self._word(least, min(schema.get("maxLength", 40), 40))

    def _word(self, least: int, most: int) -> str:
        alphabet = string.ascii_letters + string.digits + "._:-"
        return "".join(self._random.choice(alphabet) for _ in range(self._random.randint(least, most)))

    def bad(self, schema: dict, value) -> list:
        """(where, value) for each rule of the schema, broken one at a time in a good `value`."""
        schema = self._contract.resolve(schema)
        bad = [("type", each) for each in WRONG if self._contract.errors(schema, each)]
        if isinstance(value, dict):
            for name in schema.get("required", ()):
                bad.append((f"without {name}", {key: each for key, each in value.items() if key != name}))
            choices = {name for each in schema.get("oneOf", ()) for name in each["required"]}
            if choices:
                bad.append(("without a choice", {key: each for key, each in value.items() if key not in choices}))
                bad.append(("all choices", {**value, **{name: self.good(schema["properties"][name]) for name in choices}}))
            if schema.get("additionalProperties") is False:
                bad.append(("unknown name", {**value, "unheard_of": 1}))
            for name, inner in schema.get("properties", {}).items():
                for where, broken in self.bad(inner, value.get(name)):
                    bad.append((f"{name}/{where}", {**value, name: broken}))
            names = self._contract.resolve(schema.get("propertyNames", {}))
            if names:
                bad += [("name", {"": "x"}), ("name", {"x" * 129: "x"}), ("name", {"heliograph.deadline": "x"})]
            if isinstance(schema.get("additionalProperties"), dict):
                inner = schema["additionalProperties"]
                values = (1, None, [], {}, "x" * 4097)
                bad += [("value", {"a": each}) for each in values if self._contract.errors(inner, each)]
            if "maxProperties" in schema:
                bad.append(("many", {f"n{i}": "x" for i in range(schema["maxProperties"] + 1)}))
        if schema.get("type") == "array":
            bad.append(("many", [f"d{i}" for i in range(schema["maxItems"] + 1)]))
            bad.append(("twice", ["same", "same"]))
            bad += [(f"item {each!r:.20}", ["good", each]) for each in [*WRONG, *bad_texts(self._contract.resolve(schema["items"]))]
                    if self._contract.errors(schema["items"], each)]  # fmt: skip
        if schema.get("type") == "string":
            bad += [(f"{each!r:.20}", each) for each in bad_texts(schema) if self._contract.errors(schema, each)]
        return bad

    def anything(self, schema: dict):
        """A value that may be good or bad."""
        value = self.good(schema)
        roll = self._random.random()
        if roll < 0.4:
            return value
        if roll < 0.8:
            broken = self.bad(schema, value)
            return self._random.choice(broken)[1] if broken else value
        return self._random.choice(ANY_JSON + WRONG)
