"""From scores to an answer with its certainty."""
