"""The view: a run folder to one plain record, and its renderers."""

from forkpoint.report.view import read_view
from forkpoint.report.view_record import View
from forkpoint.report.visible import json_text

__all__ = ["View", "json_text", "read_view"]
