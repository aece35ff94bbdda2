"""Structured logs: constant events with fields, one JSON object a line, to standard error.

No module logs a credential, a key, a token, or a digest that somebody asked about.
"""

import logging
import sys
from pathlib import Path

import structlog


def configure_logs(file: Path | None = None) -> None:
    """Log to standard error, readably when it is a terminal; or as JSON to `file`, added at its end."""
    stream = sys.stderr if file is None else file.open("a", encoding="utf-8")
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=True) if stream.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
