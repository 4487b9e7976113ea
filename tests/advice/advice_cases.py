"""Small cases that the tests of advice share."""

from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.rules.example import facts_of, profile_of

BASE = facts_of(name="hub/One-4B-Base", stage="base", family="one4", parameters=4_000_000_000)
CHAT = facts_of(
    name="hub/One-4B", stage="chat", family="one4", parameters=4_000_000_000, template=True
)
INSTRUCT = facts_of(
    name="hub/One-4B-Instruct",
    stage="instruct",
    family="one4",
    parameters=4_000_000_000,
    template=True,
)
TWINS: tuple[CheckpointFacts, ...] = (BASE, CHAT)
TICKETS = profile_of(rows=1_200, answers="json", multi_turn=0.4)
GOAL = "customer service, answers in JSON"
