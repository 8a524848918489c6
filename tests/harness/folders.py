"""Temporary folders that servers running as other accounts can reach."""

import tempfile
from pathlib import Path


def temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="heliograph-test-"))
    folder.chmod(0o711)
    return folder / "stack"
