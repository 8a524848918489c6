"""openapi/heliograph.yaml as something that judges answers. Threads: one thread."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime

import jsonschema
import yaml
from heliograph_local.settings import ROOT

FILE = ROOT / "openapi/heliograph.yaml"
METHODS = ("get", "put", "post", "delete", "patch")

_formats = jsonschema.FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_date_time(value) -> bool:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
            return False
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    return True


@_formats.checks("uuid", raises=ValueError)
def _is_uuid(value) -> bool:
    return not isinstance(value, str) or str(uuid.UUID(value)) == value


@dataclass(frozen=True)
class Operation:
    method: str
    path: str  # the template
    id: str
    parameters: tuple  # resolved
    body: dict = field(hash=False)  # the schema of the JSON body; empty = none
    responses: dict = field(hash=False)
    is_open: bool = False  # needs no token

    def parameters_in(self, place: str) -> list:
        return [each for each in self.parameters if each["in"] == place]


class Contract:
    def __init__(self):
        self.document = yaml.safe_load(FILE.read_text())
        self._resolver = jsonschema.RefResolver("", self.document)

    def resolve(self, node: dict) -> dict:
        while "$ref" in node:
            found = self._resolver.resolve(node["$ref"])[1]
            node = {**found, **{key: value for key, value in node.items() if key != "$ref"}}
        return node

    def operations(self) -> list:
        found = []
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    found.append(self._operation(path, method, item))
        return found

    def _operation(self, path: str, method: str, item: dict) -> Operation:
        node = item[method]
        parameters = [self.resolve(each) for each in [*item.get("parameters", ()), *node.get("parameters", ())]]
        body = node.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        responses = {status: self.resolve(each) for status, each in node["responses"].items()}
        is_open = node.get("security", self.document["security"]) == []
        return Operation(method.upper(), path, node["operationId"], tuple(parameters), body, responses, is_open)

    def operation(self, operation_id: str) -> Operation:
        return next(each for each in self.operations() if each.id == operation_id)

    def errors(self, schema: dict, value) -> list:
        validator = jsonschema.Draft202012Validator(schema, resolver=self._resolver, format_checker=_formats)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]

    def faults(self, operation: Operation, response) -> list:
        """What in an answer is not as the contract says; empty = nothing."""
        status = str(response.status_code)
        documented = operation.responses.get(status)
        if documented is None:
            return [f"{status} is not documented for {operation.id}"]
        faults = self._header_faults(documented, response)
        if "content" not in documented:
            return faults + ([f"{status} of {operation.id} has a body"] if response.content else [])
        kind = response.headers.get("content-type", "")
        if kind not in documented["content"]:
            return [*faults, f"content type {kind!r} is not documented for {status} of {operation.id}"]
        if kind.endswith("json"):
            value = response.json()
            faults += self.errors(documented["content"][kind]["schema"], value)
            if response.status_code >= 400 and value["status"] != response.status_code:
                faults.append("the problem tells another status")
            described = documented["description"]
            if response.status_code >= 400 and value["type"] not in described and "/problems/bad-" not in value["type"]:
                faults.append(f"{value['type']} is not documented for {status}")
        return faults

    def _header_faults(self, documented: dict, response) -> list:
        faults = []
        for name, node in documented.get("headers", {}).items():
            header = self.resolve(node)
            value = response.headers.get(name)
            if value is None:
                faults += [f"the header {name} is missing"] if header.get("required") else []
                continue
            is_number = header["schema"].get("type") == "integer"
            faults += self.errors(header["schema"], int(value) if is_number else value)
        return faults
