#!/bin/sh
# Audit contracts/src with slither; exits non-zero on any finding that contracts/slither.config.json does not waive.
# Slither pins another web3 than ours, so it lives in an environment of its own, under .cache/. It wants foundry.toml at
# the root of what it compiles, and everything compiled with one profile (else it takes the abstract parts for whole
# contracts): so it gets a copy of the sources laid out like that.
set -eu
cd "$(dirname "$0")/.."
version=0.11.6
venv=.cache/slither-$version
project=.cache/slither-project
forge=$PWD/node_modules/@foundry-rs/forge-linux-amd64/bin
config=$PWD/contracts/slither.config.json

if [ ! -x "$venv/bin/slither" ]; then
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet "slither-analyzer==$version"
fi
slither=$PWD/$venv/bin/slither

rm -rf "$project"
mkdir -p "$project/contracts" "$project/scripts" "$project/node_modules"
sed -e '/^additional_compiler_profiles/d' -e '/^compilation_restrictions/,/^]/d' contracts/foundry.toml > "$project/foundry.toml"
cp -r contracts/src "$project/contracts/"
cp scripts/solc_wrapper "$project/scripts/"
cp -r node_modules/@openzeppelin "$project/node_modules/"
ln -s "$PWD/node_modules/solc" "$project/node_modules/solc"
cd "$project"
export FOUNDRY_OPTIMIZER=true FOUNDRY_VIA_IR=true
PATH=$forge:$PATH exec "$slither" . --config-file "$config" "$@"
