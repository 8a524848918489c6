"""A case: load, a fault, and what became of the messages."""

import random
import time
from dataclasses import asdict, dataclass, field

from chaos.evidence import Judge
from chaos.load import Load
from chaos.plant import Plant
from harness import wait

# Much longer than it takes: a machine may be busy. The table tells how long it took.
READY_WITHIN = 90.0


class Skipped(Exception):
    """It cannot be tried on this machine; says why."""


@dataclass(frozen=True)
class Options:
    """Threads: immutable."""

    seed: int
    short: bool = False
    devices: int = 200
    rate: int = 2000  # messages a second of all devices together


@dataclass(frozen=True)
class Case:
    """Threads: immutable."""

    name: str
    what: str  # in a sentence
    fault: object  # (Scene) -> None; everything runs again when it returns
    read_anew: bool = False  # Kafka itself was hurt: what the judge has read may be there no more
    defect: str = ""  # what is known to be wrong; ./dev test leaves the case out
    with_receipts: bool = False  # the devices keep each message until Kafka has it
    may_lose: bool = False  # how much is lost is told, not judged


@dataclass
class Outcome:
    """One row of the table."""

    case: str
    seed: int
    published: int = 0
    lost: int = 0
    duplicated: int = 0
    longest_run: int = 0
    out_of_order: int = 0
    altered: int = 0
    state: str = ""  # "equal", or how many differences
    recovered_s: float = 0.0
    repeated_events: int = 0
    skipped: str = ""  # why
    problems: list = field(default_factory=list)  # requirements that were not met
    defect: str = ""
    may_lose: bool = False
    seconds: dict = field(default_factory=dict)  # of each part: starting the load, the fault, draining, judging

    def as_dict(self) -> dict:
        return asdict(self)


class Scene:
    """What a fault may use. Threads: one thread."""

    def __init__(self, plant: Plant, load: Load, options: Options, chance: random.Random):
        self.plant = plant
        self.load = load
        self.options = options
        self.chance = chance
        self.longest_recovery = 0.0
        self.problems = []

    def pick(self, long, short):
        """How often, or how long."""
        return short if self.options.short else long

    def go_on(self, shortest: float = 0.1, longest: float = 1.0) -> None:
        """A random while: the next thing happens at a random moment."""
        time.sleep(self.chance.uniform(shortest, longest))

    def recover(self) -> None:
        """The fault is over: all must be ready again without a hand. Remembers the longest time that took."""
        began = time.monotonic()
        wait.until(lambda: not self.plant.not_ready(), _Late(self.plant), READY_WITHIN)
        self.longest_recovery = max(self.longest_recovery, time.monotonic() - began)

    def must(self, condition: bool, sentence: str) -> None:
        """A requirement of this case alone."""
        if not condition:
            self.problems.append(sentence)


class _Late:
    """Says who is not ready when somebody wants to read it. Threads: one thread."""

    def __init__(self, plant: Plant):
        self._plant = plant

    def __str__(self) -> str:
        return f"all are ready again: {self._plant.not_ready()}"


def run(case: Case, plant: Plant, judge: Judge, options: Options) -> Outcome:
    """On a plant that is up. A case that cannot even be finished is an outcome with that problem."""
    outcome = Outcome(case.name, options.seed, defect=case.defect, may_lose=case.may_lose)
    chance = random.Random(f"{options.seed}/{case.name}")
    load, part = None, _parts(outcome.seconds)
    try:
        plant.prepare({"chaos-": options.devices, "restless-": max(2, options.devices // 10)})
        name = f"{case.name}-{options.seed}-{chance.randrange(1 << 24):06x}"
        load = Load(plant, options.devices, options.rate, name, random.Random(chance.random()), case.with_receipts)
        load.start()
        part("load")
        scene = Scene(plant, load, options, chance)
        scene.go_on(*scene.pick((0.5, 1.5), (0.2, 0.6)))
        case.fault(scene)
        scene.recover()
        part("fault")
        outcome.recovered_s = round(scene.longest_recovery, 1)
        outcome.problems += scene.problems
        if case.read_anew:
            judge.begin_anew()
        acknowledged = load.finish()
        part("drain")
        _tell(judge.judge(name, acknowledged, case.may_lose), outcome)
        part("judge")
    except Skipped as reason:
        outcome.skipped = str(reason)
    except Exception as error:  # whatever went wrong, the other cases go on
        outcome.problems.append(f"{type(error).__name__}: {error}")
    finally:
        if load:
            load.kill()
    return outcome


def _parts(seconds: dict):
    """A function that notes the time since it was last called under a name."""
    last = time.monotonic()

    def note(name: str) -> None:
        nonlocal last
        now = time.monotonic()
        seconds[name], last = round(now - last, 1), now

    return note


def _tell(verdict, outcome: Outcome) -> None:
    for name in ("published", "lost", "duplicated", "longest_run", "out_of_order", "altered"):
        setattr(outcome, name, getattr(verdict.messages, name))
    outcome.repeated_events = verdict.repeated_events
    outcome.state = "equal" if not verdict.state else f"{len(verdict.state)} differ"
    if outcome.published == 0:
        outcome.problems.append("nothing was published")
    outcome.problems += [] if outcome.may_lose else verdict.messages.losses
    outcome.problems += verdict.messages.examples + verdict.state[:20]
