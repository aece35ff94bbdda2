"""`node doctor`: what was found, worst to see, each with its cure."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from testamur.node.cli.output import json_line, say
from testamur.node.cli.settings import home_of
from testamur.node.homes import node_folder
from testamur.node.service.doctor import examine
from testamur.node.service.findings import State

EXIT_CODES = {State.FAIL: 1, State.WARN: 3, State.OK: 0}
"""The worst finding decides: 1 something does not work, 3 something will not for long, 0 all is well."""


def run_doctor(*, as_json: bool, home: Path | None) -> int:
    """Examine the node in the home folder; the exit code."""
    findings = asyncio.run(examine(node_folder(home_of(home)), clock=lambda: datetime.now(UTC)))
    states = {finding.state for finding in findings}
    worst = next(state for state in EXIT_CODES if state in states)
    if as_json:
        json_line(
            {
                "state": str(worst),
                "findings": [
                    {
                        "name": finding.name,
                        "state": str(finding.state),
                        "seen": finding.seen,
                        "cure": finding.cure or None,
                    }
                    for finding in findings
                ],
            }
        )
        return EXIT_CODES[worst]
    for finding in findings:
        say(f"{finding.state:<4}  {finding.name:<12} {finding.seen}")
        if finding.cure:
            say(f"      {'':<12} cure: {finding.cure}")
    return EXIT_CODES[worst]
