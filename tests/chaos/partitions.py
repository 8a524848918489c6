"""Topics get more partitions while everything runs."""

from chaos.case import Scene
from chaos.plant import SESSION
from harness import kafka_topics, wait

TOPICS = ("device.control", "device.data", "connection.events")
# Ingest takes new partitions after so many seconds.
TAKEN_AFTER = (2.0, 5.0)


def grow(scene: Scene) -> None:
    """By a number that need not be a multiple: then keys move between old partitions, too."""
    plant = scene.plant
    plant.start_anew(plant.ingest, **plant.through_link(plant.ingest, "kafka"))
    plant.start_anew(plant.recorder, BATCH__WORKERS=2, **SESSION)
    with plant.second_recorder(**SESSION) as second:
        for _ in range(scene.pick(2, 1)):
            scene.go_on(0.2, 1.0)
            _grow_once(scene, second)
        scene.recover()
    plant.start_anew(plant.recorder)
    plant.start_anew(plant.ingest)


def _grow_once(scene: Scene, second) -> None:
    plant, kafka = scene.plant, scene.plant.settings.kafka_address
    before = {topic: kafka_topics.count(kafka, topic) for topic in TOPICS}
    more = {topic: count + scene.chance.randint(1, 4) for topic, count in before.items()}
    # Much is under way of each device, and what goes to one partition may be stored before what goes to another.
    plant.links["kafka"].delay = 0.05
    kafka_topics.grow(kafka, more)
    victims = scene.chance.choice(([plant.ingest], [second], [plant.recorder, second]))
    if plant.ingest in victims:
        scene.go_on(*TAKEN_AFTER)
        plant.ingest.kill()
        plant.ingest.start()
    else:
        scene.go_on(0.0, 2.0)
        for victim in victims:
            victim.kill()
    _until_used(kafka, before, more)
    plant.links["kafka"].restore()
    if plant.ingest not in victims:  # they find old partitions and new ones with something in all
        for victim in victims:
            victim.start()
    rows = "SELECT count(*) AS rows FROM kafka_offsets WHERE topic = 'device.control' AND next_offset > 0 AND partition >= %s"
    wait.until(lambda: plant.query(rows, before["device.control"])[0]["rows"] > 0, "new partitions are applied", 90)


def _until_used(kafka: str, before: dict, more: dict) -> None:
    for topic in ("device.control", "device.data"):
        fresh = range(before[topic], more[topic])
        wait.until(lambda topic=topic, fresh=fresh: any(kafka_topics.ends(kafka, topic, fresh).values()),
                   f"the new partitions of {topic} are used", 60)  # fmt: skip
