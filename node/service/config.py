"""A node's settings: one TOML file, every key known, every default written down."""

import json
import re
import tomllib
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path

from testamur.node.errors import ConfigError
from testamur.node.files import write_atomically, write_new
from testamur.registry.entries import check_registry_name
from testamur.registry.errors import MalformedError

CONFIG_NAME = "node.toml"
MAX_CONFIG_BYTES = 65_536
"""Two dozen settings; a larger file is not a configuration."""


def setting(default: object, help_text: str) -> object:
    """A field with its default and the sentence that documents it."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """Every setting of a node. The help texts are the configuration reference (docs/settings.md)."""

    registry: str = field(
        metadata={"help": "name of the registry, e.g. registry.example; part of every log's origin"}
    )
    member: str = field(
        metadata={"help": "this member's name; key names are <registry>/members/<member>/<role>"}
    )
    host: str = setting("127.0.0.1", "address on which the HTTP interface listens")  # type: ignore[assignment]
    port: int = setting(8080, "port on which the HTTP interface listens; 0 lets the system choose")  # type: ignore[assignment]
    requests_per_second: int = setting(
        100,
        "requests that one address may make in the long run, ten times as many at once; 0: no limit here, "
        "but in the proxy before it",
    )  # type: ignore[assignment]
    token_requests_per_second: int = setting(
        20, "the same for each issuer's token, from whatever address; 0: no limit"
    )  # type: ignore[assignment]
    trusted_proxies: str = setting(
        "",
        "addresses or networks of TLS proxies before this node, with spaces between, e.g. 127.0.0.1 ::1; "
        "only theirs is `X-Forwarded-For` believed, and without them it means nothing",
    )  # type: ignore[assignment]
    public_url: str = setting("", "address under which others reach this node; default http://<host>:<port>")  # type: ignore[assignment]
    rpc_url: str = setting(
        "",
        "JSON-RPC endpoint of the chain, e.g. http://127.0.0.1:8545, or several with spaces between; ws and "
        "wss addresses announce new blocks",
    )  # type: ignore[assignment]
    documents: str = setting(
        "",
        "JSON file that maps URLs and DIDs to files, relative to itself: contexts, DID documents, schemas "
        "and status lists that this node needs and never fetches; its own name is relative to node.toml",
    )  # type: ignore[assignment]
    fetch_dids: bool = setting(
        True,
        "DID documents of the method did:web are fetched from public https addresses, guarded, when somebody "
        "asks about a credential that names one; false: supplied and logged documents only",
    )  # type: ignore[assignment]
    fetch_status_lists: bool = setting(
        True,
        "status lists that others host are fetched in the same way when somebody sends the VC API a "
        "credential that names one; false: supplied ones and those of this node's logs only",
    )  # type: ignore[assignment]
    did_ethr_registry: str = setting(
        "",
        "address of the ERC-1056 contract on the node's chain from which documents of did:ethr are made; "
        "empty: supplied and logged documents only",
    )  # type: ignore[assignment]
    chain_id: int = setting(0, "id of the chain, compared at start")  # type: ignore[assignment]
    genesis_hash: str = setting("", "hash of the chain's first block, compared at start")  # type: ignore[assignment]
    contract: str = setting("", "address of the AnchorRegistry contract")  # type: ignore[assignment]
    attestation_interval: int = setting(4, "blocks between the heights at which members attest headers")  # type: ignore[assignment]
    poll_seconds: float = setting(2.0, "how often the chain is asked for its final head")  # type: ignore[assignment]
    seal_seconds: float = setting(1.0, "how long submissions gather before a checkpoint is sealed")  # type: ignore[assignment]
    heartbeat_hours: float = setting(24.0, "a log is sealed and anchored at least this often")  # type: ignore[assignment]
    scrub_hours: float = setting(
        24.0, "every log's files are verified anew at least this often, or it stops signing"
    )  # type: ignore[assignment]
    low_funds_anchors: int = setting(
        20, "money of the operator's account is low when it is enough for fewer anchors than this"
    )  # type: ignore[assignment]
    low_funds_days: int = setting(14, "the same, for fewer days at the rate of the last week")  # type: ignore[assignment]
    development: bool = setting(False, "a development registry says so in everything it shows")  # type: ignore[assignment]


def load_config(folder: Path) -> NodeConfig:
    """The settings of the node in `folder`. Raises ConfigError naming the setting."""
    path = folder / CONFIG_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(str(path), "there is no node here; `testamur init` makes one") from None
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(str(path), f"has {len(data)} bytes, more than {MAX_CONFIG_BYTES}")
    try:
        values = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML ({error})") from error
    return config_from(values, str(path))


def config_from(values: dict[str, object], where: str) -> NodeConfig:
    """Settings from a mapping; an unknown one is refused, because a misspelt limit would be no limit."""
    known = {item.name: item for item in fields(NodeConfig)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        near = get_close_matches(unknown[0], known, n=1)
        meant = f"; did you mean `{near[0]}`?" if near else "."
        reason = f"is not a setting{meant} The settings are {', '.join(known)}"
        raise ConfigError(f"{where}: {unknown[0][:80]}", reason)
    checked: dict[str, object] = {}
    for name, item in known.items():
        if name not in values:
            continue
        value = values[name]
        wanted = (
            item.type
            if isinstance(item.type, type)
            else {"str": str, "int": int, "float": float, "bool": bool}[str(item.type)]
        )
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not wanted:
            raise ConfigError(f"{where}: {name}", f"must be a {wanted.__name__}, not {value!r}")
        checked[name] = value
    for name in ("registry", "member"):
        if not checked.get(name):
            raise ConfigError(f"{where}: {name}", "is missing")
    config = NodeConfig(**checked)  # type: ignore[arg-type]
    check_config(config, where)
    return config


def check_config(config: NodeConfig, where: str) -> None:
    """Values that fit their meaning, not just their type. Raises ConfigError naming the setting."""
    try:
        check_registry_name(config.registry)
    except MalformedError as error:
        raise ConfigError(f"{where}: registry", error.reason) from error
    if config.did_ethr_registry and not re.fullmatch("0x[0-9a-fA-F]{40}", config.did_ethr_registry):
        raise ConfigError(f"{where}: did_ethr_registry", "must be 0x and 40 hexadecimal digits")
    if not 0 <= config.port <= 65_535:
        raise ConfigError(f"{where}: port", f"{config.port} is not a port")
    for name in ("requests_per_second", "token_requests_per_second"):
        if getattr(config, name) < 0:
            raise ConfigError(f"{where}: {name}", "must not be negative")
    for proxy in config.trusted_proxies.split():
        try:
            ip_network(proxy)
        except ValueError as error:
            raise ConfigError(f"{where}: trusted_proxies", str(error)) from error
    for name in ("low_funds_anchors", "low_funds_days"):
        if getattr(config, name) < 0:
            raise ConfigError(f"{where}: {name}", "must not be negative")
    urls = config.rpc_url.split()
    schemes = ("http://", "https://", "ws://", "wss://")
    if any(not url.startswith(schemes) for url in urls) or len(set(urls)) != len(urls):
        reason = "must be different http, https, ws or wss addresses, separated by spaces"
        raise ConfigError(f"{where}: rpc_url", reason)
    for name in ("poll_seconds", "seal_seconds", "heartbeat_hours", "scrub_hours", "attestation_interval"):
        if getattr(config, name) <= 0:
            raise ConfigError(f"{where}: {name}", "must be greater than 0")


def write_config(folder: Path, config: NodeConfig) -> None:
    """Write the settings with their explanations. Raises ConfigError when there is a node here already."""
    try:
        write_new(folder / CONFIG_NAME, _as_toml(config))
    except FileExistsError:
        raise ConfigError(
            str(folder / CONFIG_NAME), "there is a node here already; choose another folder"
        ) from None


def replace_config(folder: Path, config: NodeConfig) -> None:
    """Write changed settings over the old ones, whole or not at all."""
    write_atomically(folder / CONFIG_NAME, _as_toml(config))


def _as_toml(config: NodeConfig) -> bytes:
    # Every value is a string, a number or a boolean: TOML writes those as JSON does.
    settings = [
        f"# {item.metadata['help']}\n{item.name} = {json.dumps(getattr(config, item.name))}\n"
        for item in fields(NodeConfig)
    ]
    return "\n".join(["# Settings of a Testamur node: docs/settings.md.\n", *settings]).encode()
