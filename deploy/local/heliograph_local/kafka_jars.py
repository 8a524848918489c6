"""Kafka from Maven Central: fetched once, into a folder that is complete or not there."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import files
from .problem import Problem
from .service import program
from .settings import ROOT, Settings

POM = ROOT / "deploy/local/kafka/pom.xml"


def version() -> str:
    return re.search(r"<kafka.version>(.+)</kafka.version>", POM.read_text()).group(1)


def folder(settings: Settings) -> Path:
    """One folder per version and per content of the pom; shared by all stacks that use the same cache."""
    return settings.cache / f"kafka-{version()}"


def fetch(settings: Settings) -> bool:
    """Fetches the jars if they are not there. False: they were."""
    target = folder(settings)
    if target.is_dir():
        return False
    settings.cache.mkdir(parents=True, exist_ok=True)
    log = settings.log / "kafka-fetch.log"
    aside = Path(tempfile.mkdtemp(prefix=".fetching-kafka-", dir=settings.cache))
    try:
        command = [program("mvn"), "--batch-mode", "--quiet", "--strict-checksums", "--file", str(POM)]
        command += ["dependency:copy-dependencies", f"-DoutputDirectory={aside}"]
        with open(log, "wb") as output:
            ended = subprocess.run(command, cwd=settings.cache, stdout=output, stderr=subprocess.STDOUT, check=False)
        if ended.returncode != 0 or not any(aside.glob("kafka_2.13-*.jar")):
            raise Problem(
                "Kafka could not be fetched from Maven Central (repo.maven.apache.org). Behind a proxy or mirror, tell "
                "Maven so in ~/.m2/settings.xml; an authority of your own, tell update-ca-certificates. "
                f"Maven's own words, also in {log}:\n{files.tail(log)}"
            )
        aside.chmod(0o755)
        try:
            os.rename(aside, target)
        except OSError:
            if not target.is_dir():  # else a twin was faster, with the same jars
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return True
