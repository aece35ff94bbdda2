"""Write tests/vectors/evidence/: dossiers good and broken, with what a verifier must say of each.

The same files on every run: no clock, no chance. With --check nothing is written, and the exit code is 1 when
a file would change. What is expected stands in vectors/, by hand; a verdict that differs stops the script.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the whole registry in memory is a fake that the tests share

from vectors.broken import malformed_vectors, tampered_vectors  # noqa: E402
from vectors.judged import good_vectors, refused_vectors, undecided_vectors  # noqa: E402

from fakes.vector_files import judge_vector  # noqa: E402
from fakes.whole_registry import World, trust_document  # noqa: E402

FOLDER = ROOT / "tests" / "vectors" / "evidence"


def files() -> dict[str, str]:
    """Every file of the folder that is made, by its name. Exits when a verdict is not the expected one."""
    good = World().dossier()
    trust = trust_document()
    made = {"trust.json": trust}
    vectors = [
        *good_vectors(),
        *undecided_vectors(),
        *refused_vectors(),
        *tampered_vectors(),
        *malformed_vectors(),
    ]
    problems = []
    for vector in vectors:
        document = vector.to_json(copy.deepcopy(good))
        problem = judge_vector(document, base=good, trust=trust)
        if problem:
            problems.append(f"{vector.name}: {problem}")
        made[f"{vector.name}.json"] = document
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
    there = {path.name: path.read_text("utf-8") for path in options.out.glob("*.json")}
    if options.check:
        wrong = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
        if wrong:
            raise SystemExit(f"make_vectors: out of date: {', '.join(wrong)}")
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for name in set(there) - set(wanted):
        (options.out / name).unlink()
    for name, text in wanted.items():
        (options.out / name).write_text(text, "utf-8")
    print(f"{len(wanted)} files in {options.out}")


if __name__ == "__main__":
    main()
