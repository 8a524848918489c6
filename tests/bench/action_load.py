"""Actions to one device each, at a rate, by callers who know nothing of each other: the times between them are exponential, and each
is sent at its own time, however long the earlier ones take.

Run as a process of its own: what it is to do is JSON on its standard input (`Orders`), what it did goes into the file that they name,
as JSON (`Done`). Times are those of time.monotonic(), which is one clock for all processes of a machine."""

import asyncio
import json
import random
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kept_connections import Connections

AHEAD = 32  # connections that are open before the first request
LONGEST = 10.0  # seconds that an answer of a device is asked for
BUSY = 0.05
OPEN = ("accepted", "queued", "published", "delivered", "running")


@dataclass(frozen=True)
class Orders:
    """Threads: immutable."""

    host: str
    port: int
    token: str
    rate: float
    seconds: float
    client_ids: list
    payload: object
    watched: float  # actions a second for which the API is asked until it tells the end
    seed: int
    out: str


@dataclass
class Done:
    """Threads: one thread."""

    # Of each action: when it was due, when it was begun, when 202 had been read, its id; the last two null where it was refused.
    posts: list = field(default_factory=list)
    ends: list = field(default_factory=list)  # of each that was watched: when it was due, when GET told the end, or null
    asked: int = 0  # GETs that this took
    cpu: float = 0.0  # seconds that this process took


class Load:
    """Threads: one thread."""

    def __init__(self, orders: Orders):
        self._orders = orders
        self._connections = Connections(orders.host, orders.port, orders.token)
        self._chance = random.Random(orders.seed)
        self._run = uuid.uuid4().hex
        self.done = Done()

    async def run(self) -> None:
        await self._connections.open(AHEAD)
        every = max(1, round(self._orders.rate / self._orders.watched))
        before = time.process_time()
        due = time.monotonic() + 0.1
        end = due + self._orders.seconds
        async with asyncio.TaskGroup() as group:
            while due < end:
                if (left := due - time.monotonic()) > 0:
                    await asyncio.sleep(left)
                number = len(self.done.posts)
                self.done.posts.append(None)
                group.create_task(self._carry(number, due, number % every == 0))
                due += self._chance.expovariate(self._orders.rate)
        self.done.cpu = time.process_time() - before
        self._connections.close()

    async def _carry(self, number: int, due: float, is_watched: bool) -> None:
        began = time.monotonic()
        body = {"targets": {"client_ids": [self._chance.choice(self._orders.client_ids)]}, "directive": "echo",
                "payload": self._orders.payload}  # fmt: skip
        answer = await self._connections.post("/v1/actions", body, f"{self._run}-{number}")
        action_id = json.loads(answer.body)["action_id"] if answer.status == 202 else None
        self.done.posts[number] = (due, began, answer.at if action_id else None, action_id)
        if is_watched and action_id:
            self.done.ends.append((due, await self._end(action_id, due)))

    async def _end(self, action_id: str, due: float):
        """Asks again as soon as it is answered, and a little later where the API is too busy (503)."""
        while time.monotonic() < due + LONGEST:
            self.done.asked += 1
            answer = await self._connections.get(f"/v1/actions/{action_id}")
            if answer.status != 200:
                await asyncio.sleep(BUSY)
            elif json.loads(answer.body)["targets"][0]["status"] not in OPEN:
                return answer.at
        return None


def main_of(orders: Orders) -> None:
    load = Load(orders)
    asyncio.run(load.run())
    Path(orders.out).write_text(json.dumps(asdict(load.done)))


if __name__ == "__main__":
    main_of(Orders(**json.load(sys.stdin)))
