"""The REST API, as a caller with the operator's token sees it."""

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid

from .problem import Problem
from .settings import Settings
from . import stack_env


class Api:
    """Threads: one thread."""

    def __init__(self, settings: Settings, connection_string: str):
        variables = stack_env.variables(settings, connection_string)
        self._url = variables["HELIOGRAPH_API_URL"]
        self._headers = {"Authorization": f"Bearer {variables['HELIOGRAPH_TOKEN']}"}

    def connections(self, **filters) -> list:
        """All that match."""
        found, query = [], {"limit": 1000, **filters}
        while True:
            page = self._ask("/v1/connections?" + urllib.parse.urlencode(query))
            found += page["items"]
            if page["next"] is None:
                return found
            query["cursor"] = page["next"]

    def connection(self, client_id: str) -> dict:
        return self._ask("/v1/connections/" + urllib.parse.quote(client_id))

    def send(self, client_ids: list, directive: str, payload, if_offline: str = "fail") -> dict:
        """Sends an action; what the API accepted."""
        body = {"targets": {"client_ids": client_ids}, "directive": directive, "payload": payload, "if_offline": if_offline}
        return self._ask("/v1/actions", body)

    def action(self, action_id: str) -> dict:
        return self._ask("/v1/actions/" + urllib.parse.quote(action_id))

    def _ask(self, path: str, body=None) -> dict:
        headers = dict(self._headers)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers.update({"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())})
        try:
            with urllib.request.urlopen(urllib.request.Request(self._url + path, data, headers), timeout=5) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Problem(f"The API answers {error.code} to {path}: {error.read().decode(errors='replace')[:300]}") from None
        except OSError as error:
            raise Problem(f"The API does not answer to {path}: {error}") from None
