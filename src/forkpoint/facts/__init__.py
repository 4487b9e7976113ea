"""Facts about checkpoints and the machine: frozen records and the functions that read them."""
