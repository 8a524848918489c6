"""openapi/: each file is YAML, and each reference in it leads somewhere."""

import pytest
import yaml
from tree import ROOT

FILES = sorted((ROOT / "openapi").glob("*.yaml"))


def references(node) -> list:
    """Every $ref below it."""
    if isinstance(node, list):
        return [each for one in node for each in references(one)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [each for one in node.values() for each in references(one)]


def leads_somewhere(document, reference: str) -> bool:
    """RFC 6901, within the same document."""
    if not reference.startswith("#/"):
        return False
    node = document
    for word in reference[2:].split("/"):
        word = word.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or word not in node:
            return False
        node = node[word]
    return True


def test_both_contracts_are_there():
    assert {file.name for file in FILES} == {"asyncapi.yaml", "heliograph.yaml"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_reference_leads_somewhere(file):
    document = yaml.safe_load(file.read_text())
    found = references(document)
    assert len(found) > 20
    assert [each for each in found if not leads_somewhere(document, each)] == []


def test_a_reference_to_nothing_is_found():
    document = {"a": {"b": 1}, "c": [{"$ref": "#/a/b"}, {"$ref": "#/a/x"}, {"$ref": "other.yaml"}]}
    assert [each for each in references(document) if not leads_somewhere(document, each)] == ["#/a/x", "other.yaml"]


def test_every_channel_and_message_of_asyncapi_is_used():
    """A message that no channel carries, or a channel that no operation names, is a contract with nobody."""
    document = yaml.safe_load((ROOT / "openapi/asyncapi.yaml").read_text())
    found = references(document)
    assert [name for name in document["components"]["messages"] if f"#/components/messages/{name}" not in found] == []
    assert [name for name in document["channels"] if f"#/channels/{name}" not in found] == []
