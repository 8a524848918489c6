"""Faults between two processes, through a link of the tests' own."""

import time

from chaos.case import Scene


def _cut(scene: Scene, link) -> None:
    link.cut()
    time.sleep(scene.pick(10, 0.7))


def _delay(scene: Scene, link) -> None:
    link.delay = 0.2
    time.sleep(scene.pick(20, 0.8))


def _silence(scene: Scene, link) -> None:
    """Connections stay, and nothing arrives any more."""
    link.silence()
    time.sleep(scene.pick(30, 1.2))
    link.reset()


def _tear(scene: Scene, link) -> None:
    for _ in range(scene.pick(10, 2)):
        link.tear(scene.chance)
        scene.go_on(0.2, scene.pick(1.0, 0.6))


def _crawl(scene: Scene, link) -> None:
    link.crawls = True
    time.sleep(scene.pick(20, 0.8))


def _strand(scene: Scene, link) -> None:
    """Half-open: the server has given the connection up, and our side does not know."""
    link.strand()
    time.sleep(scene.pick(20, 1))


def between(daemon: str, server: str):
    """Every kind of trouble between the two, in a random order."""

    def fault(scene: Scene) -> None:
        plant = scene.plant
        process, link = getattr(plant, daemon), plant.links[server]
        plant.start_anew(process, **plant.through_link(process, server))
        troubles = [_cut, _delay, _silence, _tear, _crawl]
        if not scene.options.short:
            troubles.append(_strand)
        scene.chance.shuffle(troubles)
        for trouble in troubles:
            scene.go_on(0.1, scene.pick(1.0, 0.3))
            trouble(scene, link)
            link.restore()
            scene.recover()
        plant.start_anew(process)

    return fault


def slow_kafka(scene: Scene) -> None:
    """Every answer comes seconds late; ingest and recorder wait for it."""
    plant = scene.plant
    for daemon in (plant.ingest, plant.recorder):
        daemon.overrides = plant.through_link(daemon, "kafka")
    plant.restart_all(plant.ingest, plant.recorder)
    link = plant.links["kafka"]
    for seconds in scene.pick((0.5, 2.0, 4.0), (2.0,)):
        link.delay = seconds / 2  # in each direction
        time.sleep(scene.pick(30, 3))
    link.restore()
    scene.recover()
    plant.ingest.overrides = plant.recorder.overrides = {}
    plant.restart_all(plant.ingest, plant.recorder)
