"""One stack for all end-to-end tests of a run; each test uses client ids of its own."""

import uuid

import pytest
from harness import stack as stacks


@pytest.fixture(scope="session", name="running_stack")
def _running_stack():
    with stacks.running() as stack:
        yield stack


@pytest.fixture
def stack(running_stack):
    """The stack, all of it ready: what an earlier test has killed or paused is brought back first."""
    running_stack.recover()
    return running_stack


@pytest.fixture
def client_id() -> str:
    """A device that no other test uses."""
    return f"device-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def own_stack():
    """Makes stacks of the test's own, for what must begin anew or be set differently: own_stack(topic_prefix="a/b")."""
    made = []

    def make(**changes):
        stack = stacks.Stack(**changes)
        made.append(stack)
        stack.up()
        return stack

    yield make
    for stack in made:
        stack.remove()
