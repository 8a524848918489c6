"""The short form of every case: `./dev chaos --short`."""

import os

import pytest
from chaos import report
from chaos.case import Options
from chaos.cases import CASES
from chaos.run import runner
from heliograph_local import files, settings

# A failure is repeated by its seed; another one finds other moments.
SEED = int(os.environ.get("HELIOGRAPH_CHAOS_SEED", "1"))


@pytest.fixture(scope="module", name="one")
def _one():
    """Runs a case; what came of it is in .local/chaos/short.{md,json}, the logs of those that failed beside them."""
    options, folder, outcomes = Options(SEED, short=True), settings.data_folder() / "chaos", []
    with runner(options, folder / "logs") as one:

        def run(case):
            outcomes.append(one.run(case))
            report.write(folder / "short.json", options, outcomes)
            files.write(folder / "short.md", f"{report.table(outcomes)}\n\n{report.remarks(outcomes)}", 0o644)
            return outcomes[-1]

        yield run


@pytest.mark.parametrize("case", [case for case in CASES if not case.defect], ids=lambda case: case.name)
def test_nothing_is_lost(one, case):
    outcome = one(case)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert not outcome.problems, "\n".join(outcome.problems)
    assert outcome.published > 0
    assert (outcome.out_of_order, outcome.altered, outcome.state) == (0, 0, "equal")
    assert outcome.lost == 0 or outcome.may_lose
