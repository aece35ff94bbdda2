#!/bin/sh
# Makes the node's folder at the first start, from TESTAMUR_REGISTRY and TESTAMUR_MEMBER, then becomes `testamur`.
# Everything else of the command line works as outside: docker compose exec node testamur node doctor
# `healthy` is the image's health check: the node in this container answers, on the port that its settings name.
set -eu
home="${TESTAMUR_HOME:-/var/lib/testamur}"
if [ "${1:-}" = healthy ]; then
  exec python3 -c 'import sys, tomllib, urllib.request
with open(sys.argv[1], "rb") as file:
    port = tomllib.load(file).get("port", 8080)
urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=4)' "$home/node/node.toml"
fi
if [ "${1:-}" = node ] && [ "${2:-}" = run ] && [ ! -e "$home/node/node.toml" ]; then
  if [ -z "${TESTAMUR_REGISTRY:-}" ] || [ -z "${TESTAMUR_MEMBER:-}" ]; then
    echo "testamur-node: $home holds no node yet. Set TESTAMUR_REGISTRY (e.g. registry.example) and" >&2
    echo "TESTAMUR_MEMBER (e.g. ada) to make one, or mount the folder of the node you have." >&2
    exit 2
  fi
  testamur init --registry "$TESTAMUR_REGISTRY" --member "$TESTAMUR_MEMBER" --host 0.0.0.0 \
    --port "${TESTAMUR_PORT:-8080}" \
    --rpc "${TESTAMUR_RPC:-}" --chain-id "${TESTAMUR_CHAIN_ID:-0}" --public-url "${TESTAMUR_PUBLIC_URL:-}"
fi
exec testamur "$@"
