"""All commands together, as Typer sees them. Each imports what it needs when it runs."""

import typer

from testamur.node.cli import (
    commands_issuer,
    commands_node,
    commands_profile,
    commands_status,
    commands_trust,
    commands_verify,
    commands_wallet,
)

app = typer.Typer(
    name="testamur",
    help="A credential registry that outlives issuers, vendors and chains.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands_verify.register(app)
commands_profile.register(app)
commands_trust.register(app)
commands_wallet.register(app)
commands_issuer.register(app)
commands_status.register(app)
commands_node.register(app)
