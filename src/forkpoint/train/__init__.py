"""Fine-tune one arm."""
