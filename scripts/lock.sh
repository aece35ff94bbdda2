#!/bin/sh
# Re-pin every dependency with hashes. One resolution for all installs: the development lock is
# solved first and the smaller ones are constrained by it, so a test never runs against a version
# that is not shipped. Needs `uv` on the PATH (or in $UV).
set -eu
cd "$(dirname "$0")/.."
UV="${UV:-uv}"
compile() { "$UV" pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --universal "$@"; }
compile pyproject.toml --extra node --extra dev --output-file requirements-dev.lock
compile pyproject.toml --extra node --constraint requirements-dev.lock --output-file requirements-node.lock
compile pyproject.toml --constraint requirements-dev.lock --output-file requirements.lock
build=$(sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml)
echo "$build" | compile - --output-file requirements-build.lock
