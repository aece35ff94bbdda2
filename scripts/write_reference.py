"""Write the reference pages that are made from the code: docs/cli.md, docs/reasons.md, docs/settings.md.

With --check nothing is written; exit 1 when a page is not what the code says.
"""

from __future__ import annotations

import argparse
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import typer.main

from testamur.node.cli.main import app
from testamur.node.service.config import CONFIG_NAME, NodeConfig
from testamur.registry.reasons import REASONS

DOCS = Path(__file__).resolve().parent.parent / "docs"
NOTE = "Written by `make docs` from the code; change it there."


def pages() -> dict[str, str]:
    """Every generated page, by its name in docs/."""
    return {"cli.md": cli_page(), "reasons.md": reasons_page(), "settings.md": settings_page()}


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command below a group, as (words after `testamur`, command), in the order of `--help`."""
    found = []
    for name, command in group.commands.items():
        if getattr(command, "hidden", False):
            continue
        words = (*path, name)
        found += commands(command, words) if hasattr(command, "commands") else [(words, command)]
    return found


def cli_page() -> str:
    """docs/cli.md: every command with its arguments and options."""
    root = typer.main.get_command(app)
    lines = ["# Commands", "", NOTE, "", sentence(root.help), ""]
    for words, command in commands(root):
        name = " ".join(("testamur", *words))
        lines += [f"## `{name}`", "", paragraphs(command.help), ""]
        rows = [row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        if rows:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    lines += ["Every command also takes `--help`, or `-h`.", ""]
    return "\n".join(lines)


def row(parameter: Any) -> str:
    """One line of a command's table."""
    if parameter.param_type_name == "argument":
        shown = f"`{(parameter.metavar or parameter.name).upper()}`"
    else:
        shown = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    said = sentence(parameter.help)
    if default not in (None, False, (), [], "") and not callable(default) and "efault" not in said:
        said += f" Default: {getattr(default, 'value', default)}."
    return f"| {shown} | {said.replace('|', '&#124;')} |"


def reasons_page() -> str:
    """docs/reasons.md: every reason code with its words."""
    lines = ["# Reason codes", "", NOTE, ""]
    lines += [
        "Why a check ended as it did. A code never changes its meaning; its words may. `(name)` stands for a",
        "",
    ]
    lines[-1:] = ["parameter. The checks are those of [trust.md](trust.md).", ""]
    lines += ["| code | words |", "|---|---|"]
    for code, template in sorted(REASONS.items()):
        words = template.replace("{", "(").replace("}", ")").replace("|", "&#124;")
        lines.append(f"| `{code}` | {words} |")
    return "\n".join([*lines, ""])


def settings_page() -> str:
    """docs/settings.md: every setting of a node."""
    lines = [
        "# Settings",
        "",
        NOTE,
        "",
        f"A node reads them from `{CONFIG_NAME}` in its folder. An unknown one is refused.",
        "",
    ]
    lines += ["| setting | default | meaning |", "|---|---|---|"]
    for item in fields(NodeConfig):
        default = "required" if item.default is MISSING else f"`{toml(item.default)}`"
        lines.append(f"| `{item.name}` | {default} | {item.metadata['help'].replace('|', '&#124;')} |")
    return "\n".join([*lines, ""])


def toml(value: object) -> str:
    """A default as it would stand in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def sentence(text: str | None) -> str:
    """Help text on one line."""
    return " ".join((text or "").split())


def paragraphs(text: str | None) -> str:
    """Help text with its paragraphs kept."""
    return "\n\n".join(sentence(part) for part in (text or "").split("\n\n") if part.strip())


def main() -> None:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a page is out of date"
    )
    check = parser.parse_args().check
    stale = []
    for name, text in pages().items():
        path = DOCS / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, "utf-8")
            print(f"docs/{name} written")
    if check and stale:
        raise SystemExit(f"out of date, run `make docs`: {', '.join(stale)}")


if __name__ == "__main__":
    main()
