"""Load a checkpoint, render a conversation, mask it, generate: shared by train and measure."""
