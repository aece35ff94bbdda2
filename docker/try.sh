#!/bin/bash
# Builds the image and proves it on a development chain: a node is made, founds a registry, answers, ends on
# SIGTERM, and comes back with its keys; without a name it is refused. `docker/try.sh` uses Docker where an engine runs; elsewhere podman and buildah without one
# (Debian, Ubuntu: apt-get install podman buildah runc mmdebstrap), as root. `--build-only` stops after the image.
set -euo pipefail
cd "$(dirname "$0")/.."
image=testamur
name="testamur-try-$$"
work=$(mktemp -d)
finish() {
  "${engine[@]:-true}" rm -f "$name" >/dev/null 2>&1 || true
  "${engine[@]:-true}" volume rm -f "$name" >/dev/null 2>&1 || true
  [ -z "${anvil_pid:-}" ] || kill "$anvil_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "try: $1" >&2
  "${engine[@]}" logs "$name" 2>&1 | tail -n 20 >&2 || true
  exit 1
}

# What lets this machine reach its package mirrors is lent to the build, and is no part of the image.
lend=()
for file in /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/apt/apt.conf.d/99proxy; do
  [ -e "$file" ] && lend+=(--volume "$file:$file:ro")
done
for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CERT; do
  [ -n "${!variable:-}" ] && lend+=(--build-arg "$variable=${!variable}")
done

if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  engine=(docker)
  run_options=()
  docker build --quiet -f docker/Dockerfile -t "$image" .
else
  for tool in podman buildah runc mmdebstrap; do
    command -v "$tool" >/dev/null || {
      echo "try: no Docker engine runs and $tool is missing. Debian, Ubuntu: apt-get install podman buildah runc mmdebstrap" >&2
      exit 3
    }
  done
  engine=(podman --runtime runc --cgroup-manager cgroupfs)
  # Without an engine there is no registry of images either: the base is made from Debian's packages. seccomp, the health
  # check's timer and unlimited processes are what a machine without systemd or with few privileges cannot give.
  run_options=(--ulimit nofile=1024:20000 --ulimit nproc=4096:4096 --no-healthcheck --security-opt seccomp=unconfined)
  if ! podman image exists debian:bookworm-slim; then
    echo "try: making debian:bookworm-slim"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$work/debian.tar"
    podman import --quiet "$work/debian.tar" debian:bookworm-slim >/dev/null
  fi
  buildah bud --quiet --layers --isolation chroot --format docker "${lend[@]}" -f docker/Dockerfile -t "$image" .
fi
echo "try: built $("${engine[@]}" image inspect --format '{{.Size}}' "$image" | awk '{printf "%d MB", $1 / 1e6}')"
[ "${1:-}" = --build-only ] && exit 0

anvil=node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
[ -x "$anvil" ] || { echo "try: $anvil is missing: npm ci --ignore-scripts" >&2; exit 3; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
chain_port=$(free_port)
port=$(free_port)
"$anvil" --silent --port "$chain_port" --slots-in-an-epoch 1 &
anvil_pid=$!
rpc="http://127.0.0.1:$chain_port"
call() { # call METHOD PARAMETERS: one JSON-RPC request to the chain
  curl --silent --fail --max-time 5 --retry 40 --retry-connrefused --retry-delay 0 --header 'content-type: application/json' \
    --data "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "$rpc" >/dev/null
}
umask 077
head -c 24 /dev/urandom | base64 >"$work/passphrase"
chown 10001:10001 "$work/passphrase"
run_options+=(--network host --volume "$name:/var/lib/testamur" --read-only --tmpfs /tmp --cap-drop ALL
  --volume "$work/passphrase:/run/secrets/testamur-passphrase:ro"
  --env TESTAMUR_RPC="$rpc" --env TESTAMUR_CHAIN_ID=31337)
# A free port: another node on this machine would answer in its place.
named=(--env TESTAMUR_REGISTRY=registry.example --env TESTAMUR_MEMBER=ada --env TESTAMUR_PORT="$port")

if "${engine[@]}" run --rm "${run_options[@]}" "$image" >"$work/refused" 2>&1; then fail "a node without a name was made"; fi
grep -q TESTAMUR_REGISTRY "$work/refused" || fail "the refusal does not name the setting: $(cat "$work/refused")"
echo "try: a node without a name is refused, and told how to get one"

# The first start makes keys and settings and says what is missing: a trust file, which founding the registry gives.
"${engine[@]}" run --rm "${run_options[@]}" "${named[@]}" "$image" >"$work/first" 2>&1 || true
grep -q 'council found' "$work/first" || fail "the first start does not say what comes next: $(cat "$work/first")"
for account in $(grep -oE '0x[0-9a-f]{40}' "$work/first"); do
  call anvil_setBalance "[\"$account\",\"0xde0b6b3a7640000\"]"
done
"${engine[@]}" run --rm "${run_options[@]}" "$image" council found >"$work/found" 2>&1 || fail "founding failed: $(cat "$work/found")"
echo "try: a registry was founded from the container"

"${engine[@]}" run --detach --name "$name" "${run_options[@]}" "$image" >/dev/null
healthy() { # until the node answers, at most 60 s
  for _ in $(seq 240); do
    if curl --silent --fail --max-time 2 "http://127.0.0.1:$port/healthz" >/dev/null; then return 0; fi
    sleep 0.25
  done
  return 1
}
healthy || fail "the node does not answer /healthz"
keys=$("${engine[@]}" exec "$name" testamur keys --json)
[ -n "$keys" ] || fail "the node has no keys"
echo "try: the node answers and holds $(grep -c . <<<"$keys") keys"

started=$SECONDS
"${engine[@]}" stop --time 30 "$name" >/dev/null
[ "$("${engine[@]}" inspect --format '{{.State.ExitCode}}' "$name")" = 0 ] || fail "SIGTERM did not end it with status 0"
echo "try: ended on SIGTERM in $((SECONDS - started)) s"
"${engine[@]}" start "$name" >/dev/null
healthy || fail "the node does not come back"
[ "$("${engine[@]}" exec "$name" testamur keys --json)" = "$keys" ] || fail "the keys changed over a restart"
[ "$("${engine[@]}" exec "$name" id -u)" = 10001 ] || fail "the node runs as another user"
echo "try: came back with the same keys"
