"""The operator's token: the token itself in one file, only its hash in the file that the API reads."""

import hashlib
import secrets

from . import files
from .settings import Settings


def token_file(settings: Settings):
    return settings.data / "token"


def ensure(settings: Settings) -> None:
    if not token_file(settings).exists():
        files.write(token_file(settings), "hg_" + secrets.token_urlsafe(32) + "\n")
    digest = hashlib.sha256(files.read_secret(token_file(settings)).encode()).hexdigest()
    text = (
        "# Who may use the API. The tokens themselves are not here, only the SHA-256 of each.\n"
        "tokens:\n"
        f'  - {{name: "local", sha256: "{digest}", operator: true, scopes: ["connections:read", "actions:write", "groups:read",'
        ' "groups:write", "webhooks:read", "webhooks:write", "audit:read"]}\n'
    )
    if not (settings.data / "tokens.yaml").exists():
        files.write(settings.data / "tokens.yaml", text)
