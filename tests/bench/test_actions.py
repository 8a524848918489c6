"""What ./dev bench actions makes of times and answers: a load that waits, or a judge that overlooks something, would flatter."""

import asyncio
import json
import time

import action_bulk
import action_latency
import action_queue
import figures
import pytest
from action_answers import delays, delivery, first_of, percentiles
from action_load import Done, Load, Orders

DEVICES = ["a", "b"]


def test_the_clock_begins_when_an_action_is_due_not_when_it_could_be_sent():
    done = Done(
        posts=[(10.0, 10.0, 10.0, "warm"), (11.5, 12.5, 12.6, "late"), (11.6, 11.6, None, None), (11.7, 11.7, 11.8, "lost"),
               (11.9, 11.9, 11.95, "good")],
        ends=[(11.5, 12.9), (11.9, 12.0), (11.95, None)],
    )  # fmt: skip
    found = action_latency.judged(done, {"warm": 10.1, "late": 12.7, "good": 12.1})
    assert found["answered"]["mean"] == pytest.approx((1200 + 200) / 2), "the one that was due in the warm-up does not count"
    assert found["accepted"]["mean"] == pytest.approx((1100 + 100 + 50) / 3)
    assert found["told"]["mean"] == pytest.approx((1400 + 100) / 2)
    assert found["late"]["mean"] == pytest.approx(1000 / 4)
    assert (found["count"], found["refused"], found["missing"]) == (5, 1, 2), "one has no answer, one no end"


def test_only_the_first_answer_counts():
    assert first_of([(1.0, "a", "x"), (2.0, "a", "x"), (3.0, "b", "y")]) == {"x": 1.0, "y": 3.0}
    assert delays([(0.5, "x"), (1.0, "y"), (1.5, "z")], {"x": 1.0, "y": 3.0}, since=1.0) == [2000.0]


def test_percentiles_are_those_of_the_values():
    found = percentiles(range(1, 1000))
    assert found == {"mean": 500.0, "p50": 500.0, "p99": 990.0}


@pytest.mark.parametrize("answers, wrong", [
    ([("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)], {}),
    ([("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3)], {}),
    ([("a", 1), ("a", 2), ("a", 2), ("a", 1), ("a", 3), ("b", 1), ("b", 2), ("b", 3)], {"again": 2}),
    ([("a", 1), ("a", 3), ("a", 2), ("b", 1), ("b", 2), ("b", 3)], {"out_of_order": 1}),
    ([("a", 1), ("a", 3), ("b", 1), ("b", 2), ("b", 3)], {"missing": 1}),
    ([("a", 1), ("a", 2), ("a", 3)], {"missing": 3}),
    ([("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 9), ("b", 2), ("b", 3)], {"foreign": 1}),
    ([("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3), ("c", 1)], {"foreign": 1}),
])  # fmt: skip
def test_what_arrived_is_judged_device_by_device(answers, wrong):
    read = [(float(at), client_id, f"id-{number}") for at, (client_id, number) in enumerate(answers)]
    none = {"missing": 0, "again": 0, "out_of_order": 0, "foreign": 0}
    assert delivery(read, DEVICES, ["id-1", "id-2", "id-3"]) == {**none, **wrong}


def test_the_pace_is_from_the_last_look_that_saw_none_to_the_first_that_saw_all():
    assert action_bulk.pace([(1.0, 0), (2.0, 0), (3.0, 400), (4.0, 1000), (5.0, 1000)], 1000, began=0.0) == 500
    assert action_bulk.pace([(4.0, 1000)], 1000, began=2.0) == 500, "nobody looked earlier"


def run_of(p50: float, p99: float, **more) -> dict:
    times = {"mean": p50, "p50": p50, "p99": p99}
    return {"rate": 300, "wall": 10.0, "count": 3000, "cpu": {"load": 1.5, "api": 2.0}, "refused": 0, "missing": 0, "asked": 900,
            **{what: times for what in ("accepted", "answered", "told", "late")}, **more}  # fmt: skip


def verdicts(rows: list) -> dict:
    return {row["figure"]: figures.verdict(row) for row in rows if row["goals"]}


def test_each_goal_of_one_device_is_judged():
    good = verdicts(action_latency.rows({300: [run_of(10, 29)] * 3}))
    assert set(good.values()) == {"met"} and len(good) == 3
    slow = verdicts(action_latency.rows({300: [run_of(10, 33)] * 3}))
    assert sorted(slow.values()) == ["met", "missed by 10 %", "missed by 10 %"]
    lost = action_latency.rows({300: [run_of(10, 29), run_of(10, 29, missing=1), run_of(10, 29)]})
    assert list(verdicts(lost).values()).count("met") == 2, "one that is lost in one run is a miss"
    assert next(row for row in lost if row["reference"] and "p99" in row["figure"])["ratio"]["median"] == pytest.approx(29 / 279)


def test_growth_is_the_ratio_of_neighbours():
    rows = action_latency.growth_rows({1000: [run_of(10, 20), run_of(20, 40)], 4000: [run_of(14, 31), run_of(29, 61)]})
    assert [row["ratio"]["values"] for row in rows] == [[1.4, 1.45], [1.55, 1.525]]
    assert [figures.verdict(row) for row in rows] == ["met", "missed by 3 %"]


def test_each_goal_of_many_devices_is_judged():
    run = {"accepted": 2.9, "dispatched": 3100.0, "succeeded": 2000.0, "status": {"p50": 5, "p99": 49}, "peak": 255.0}
    assert set(verdicts(action_bulk.rows([run], 100_000, 10_000)).values()) == {"met"}
    bad = {**run, "accepted": 6.0, "dispatched": 1500.0, "status": {"p50": 5, "p99": 100}, "peak": 512.0}
    words = list(verdicts(action_bulk.rows([bad], 100_000, 10_000)).values())
    assert words == ["missed by 100 %", "missed by 50 %", "missed by 100 %", "missed by 100 %"]


def test_each_goal_of_what_waits_is_judged():
    run = {"missing": 0, "again": 0, "out_of_order": 0, "foreign": 0, "connecting": 9.0, "delivered": 29.0, "rate": 900}
    assert set(verdicts(action_queue.rows([run, {**run, "again": 3}], 10_000, 3)).values()) == {"met"}
    for wrong in ("missing", "out_of_order", "foreign"):
        assert "met" in (words := set(verdicts(action_queue.rows([run, {**run, wrong: 1}], 10_000, 3)).values())) and len(words) == 2, wrong


# --- The load, against a server that stops for a while --------------------------------------------------------------------


class Server:
    """Accepts every action at once, except in a pause; says that each has ended; closes some connections without an answer.
    Threads: that of the event loop."""

    def __init__(self, pause: float, closes_at=()):
        self._pause, self._closes_at, self._count = pause, closes_at, 0

    async def serve(self, reader, writer) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
            await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
            if head.startswith(b"POST"):
                self._count += 1
                if self._count in self._closes_at:
                    return writer.close()
                if self._count == 20:
                    time.sleep(self._pause)  # everybody waits, the load's own event loop too
                status, body = "202 Accepted", {"action_id": f"id-{self._count}"}
            else:
                status, body = "200 OK", {"targets": [{"status": "succeeded"}]}
            text = json.dumps(body)
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())


async def load_on(server: Server) -> Done:
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        load = Load(Orders("127.0.0.1", port, "t", 100.0, 1.5, DEVICES, 1, 10.0, 1, out=""))
        await load.run()
        return load.done


def test_a_connection_that_is_closed_is_one_action_that_was_refused():
    done = asyncio.run(load_on(Server(0.0, closes_at=(3, 30, 31))))
    assert sum(name is None for *_, name in done.posts) == 3 and len(done.posts) > 110


def test_a_pause_of_the_server_is_seen_by_all_who_would_have_come_in_it():
    done = asyncio.run(load_on(Server(0.5)))
    assert 110 < len(done.posts) < 190, "as many come as are due, whatever the server does"
    assert all(name for *_, name in done.posts)
    slow = [at - due for due, _, at, _ in done.posts if at - due > 0.1]
    assert 20 < len(slow) < 70, "not only the one that was under way"
    assert 10 <= len(done.ends) <= 25 and all(at for _, at in done.ends)
