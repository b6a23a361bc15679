"""The report: what was mapped and how far it can be trusted, as one page to hand on."""

from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.render import render_report

__all__ = ["ReportContent", "render_report"]
