"""Write tests/vectors/: dossiers and trust file successions, good and broken, and what a verifier must say.

The same files on every run: no clock, no chance. With --check nothing is written, and the exit code is 1 when
a file would change. What is expected stands in vectors/, by hand; a verdict that differs stops the script.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the whole registry in memory is a fake that the tests share

from vectors.broken import malformed_vectors, tampered_vectors  # noqa: E402
from vectors.judged import good_vectors, refused_vectors, undecided_vectors  # noqa: E402
from vectors.refreshed import refreshed_vectors  # noqa: E402
from vectors.trust_chains import V1, trust_vectors  # noqa: E402

from fakes.trust_vectors import judge_trust_vector  # noqa: E402
from fakes.vector_files import judge_vector  # noqa: E402
from fakes.whole_registry import World, trust_document  # noqa: E402

FOLDER = ROOT / "tests" / "vectors"


def files() -> dict[str, str]:
    """Every file that is made, by its path in the folder. Exits when a verdict is not the expected one."""
    return {
        **{f"evidence/{name}": text for name, text in evidence_files().items()},
        **{f"trust/{name}": text for name, text in trust_files().items()},
    }


def trust_files() -> dict[str, str]:
    """The trust file that a verifier has, and successions of it."""
    made: dict[str, Any] = {"version-1.json": V1}
    problems = []
    for vector in trust_vectors():
        document = vector.to_json()
        problem = judge_trust_vector(document, V1)
        if problem:
            problems.append(f"{vector.name}: {problem}")
        made[f"{vector.name}.json"] = document
    return _texts(made, problems)


def evidence_files() -> dict[str, str]:
    """A trust file, and dossiers under it."""
    good = World().dossier()
    trust = trust_document()
    made = {"trust.json": trust}
    vectors = [
        *good_vectors(),
        *undecided_vectors(),
        *refused_vectors(),
        *tampered_vectors(),
        *malformed_vectors(),
        *refreshed_vectors(),
    ]
    problems = []
    for vector in vectors:
        document = vector.to_json(copy.deepcopy(good))
        problem = judge_vector(document, base=good, trust=trust)
        if problem:
            problems.append(f"{vector.name}: {problem}")
        made[f"{vector.name}.json"] = document
    return _texts(made, problems)


def _texts(made: dict[str, Any], problems: list[str]) -> dict[str, str]:
    if problems:
        raise SystemExit("\n".join(problems))
    return {
        name: json.dumps(document, indent=1, ensure_ascii=False) + "\n" for name, document in made.items()
    }


def main() -> None:
    """Write the folder, or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    wanted = files()
    there = {
        str(path.relative_to(options.out)): path.read_text("utf-8")
        for folder in ("evidence", "trust")
        for path in (options.out / folder).glob("*.json")
    }
    if options.check:
        wrong = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
        if wrong:
            raise SystemExit(f"make_vectors: out of date: {', '.join(wrong)}")
        return
    for folder in ("evidence", "trust"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    for name in set(there) - set(wanted):
        (options.out / name).unlink()
    for name, text in wanted.items():
        (options.out / name).write_text(text, "utf-8")
    print(f"{len(wanted)} files in {options.out}")


if __name__ == "__main__":
    main()
