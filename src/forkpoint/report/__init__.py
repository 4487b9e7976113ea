"""The view: a run folder to one plain record, and its renderers."""
