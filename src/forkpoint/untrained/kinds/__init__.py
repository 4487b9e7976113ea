"""One file a kind of untrained arm."""
