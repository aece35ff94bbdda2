"""What `make run` starts: a devnet in var/devnet, which the next start goes on with."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Become `testamur devnet`, so that Ctrl-C reaches it and nothing else. Arguments are passed on."""
    command = Path(sys.executable).with_name("testamur")
    home = os.environ.get("TESTAMUR_HOME", str(ROOT / "var" / "devnet"))
    os.execv(command, [str(command), "devnet", "--home", home, *sys.argv[1:]])


if __name__ == "__main__":
    main()
