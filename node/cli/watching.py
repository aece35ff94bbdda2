"""`issuer watch`: what nodes serve and the chain holds of an issuer, against what it signed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.node.cli.output import json_line, say, warn
from testamur.node.cli.settings import home_of
from testamur.node.cli.trusting import find_trust
from testamur.node.errors import NodeError
from testamur.node.fetch.registry import RegistryClient
from testamur.node.homes import workspace_folder
from testamur.registry.canonical import Json
from testamur.registry.errors import RegistryError

if TYPE_CHECKING:
    from testamur.node.issuing.watching import Look

EXIT_ALARM = 1
EXIT_CANNOT_TELL = 3

HOST_SAYS = "so the node says: no trust file in the home folder tells which blocks are final"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """What was asked of one command. `every` of 0 looks once."""

    slug: str
    nodes: tuple[str, ...]
    every_seconds: float
    patience: timedelta
    as_json: bool
    home: Path | None


def run_watch(options: WatchOptions) -> int:
    """Look once, or again and again until interrupted; the exit code of the last look. Raises ConfigError."""
    while True:
        code = _look(options)
        if options.every_seconds <= 0:
            return code
        time.sleep(options.every_seconds)


def _look(options: WatchOptions) -> int:
    from testamur.node.issuing.watching import Signed, compare, signed_by
    from testamur.node.service import issuer_side

    folder = workspace_folder(home_of(options.home), options.slug)
    # Opened for the moment of reading: an issuer who is watched can go on issuing.
    with issuer_side.open_for_issuing(folder) as workspace:
        signed: Signed = signed_by(workspace)
    now, trust = datetime.now(UTC), find_trust(options.home)
    alarmed = unreachable = False
    for url in options.nodes or (issuer_side.host_url(folder),):
        try:
            with RegistryClient(url) as client:
                found = compare(client, signed, now=now, patience=options.patience, trust=trust)
        except (NodeError, RegistryError) as error:
            unreachable = True
            _tell(options, url, None, str(error))
            continue
        alarmed = alarmed or bool(found.alarms)
        _tell(options, url, found, *found.alarms)
    return EXIT_ALARM if alarmed else EXIT_CANNOT_TELL if unreachable else 0


def _tell(options: WatchOptions, url: str, found: "Look | None", *problems: str) -> None:
    rows: Sequence[Json] = list(problems)
    if options.as_json:
        state = "cannot-tell" if found is None else "alarm" if problems else "as-signed"
        json_line(
            {
                "node": url,
                "issuer": options.slug,
                "state": state,
                "anchoredStatement": found.anchored if found else None,
                "isProven": found.is_proven if found else None,
                "problems": list(rows),
            }
        )
        return
    if found is None:
        warn(f"CANNOT TELL  {url}: {'; '.join(problems)}")
    elif problems:
        for problem in problems:
            say(f"ALARM  {url}: {problem}")
    else:
        anchored = (
            f"statement {found.anchored} of {options.slug} is anchored"
            if found.anchored
            else "not anchored yet"
        )
        said = "" if found.is_proven or not found.anchored else f" ({HOST_SAYS})"
        say(f"as signed  {url}: {anchored}{said}, and its lists are served")
