"""For all Python tests: where the harness and the stack's own code are."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT / "tests", ROOT / "deploy/local"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
