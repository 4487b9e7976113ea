"""Rules drawn from the guides: pure functions of facts, each with its sources and examples."""
