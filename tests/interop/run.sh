#!/usr/bin/env bash
# Run Dome's official SDKs, unmodified, against the simulator in both dialects. Needs the project's .venv; Node is optional.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
simulator=
finish() {
  if [ -n "$simulator" ]; then
    kill "$simulator" 2>/dev/null || true
    wait "$simulator" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT

start_simulator() { # sets $url
  : >"$work/ready"
  (cd "$root" && exec .venv/bin/python -m connector.simulator --paused --market 1) >"$work/ready" &
  simulator=$!
  for _ in $(seq 200); do
    url=$(sed -n 's/^simulator ready on /http:\/\//p' "$work/ready")
    [ -n "$url" ] && return
    kill -0 "$simulator" 2>/dev/null || break
    sleep 0.1
  done
  echo "interop: the simulator did not start" >&2
  exit 1
}

stop_simulator() {
  kill "$simulator"
  wait "$simulator"
  simulator=
}

install_python() {
  "$root/.venv/bin/python" -m venv --without-pip "$work/venv"
  "$root/.venv/bin/uv" pip install --quiet --python "$work/venv/bin/python" --require-hashes -r "$here/requirements.txt"
}

install_typescript() {
  cp "$here/package.json" "$here/package-lock.json" "$here/typescript_sdk.mjs" "$work/"
  (cd "$work" && npm ci --silent --ignore-scripts --no-audit --no-fund)
}

failures=0

run_sdk() { # command...; gets the simulator's URL and the dialect
  for dialect in dome predexon; do
    start_simulator
    "$@" "$url" "$dialect" || failures=1
    stop_simulator
  done
}

install_python
run_sdk "$work/venv/bin/python" "$here/python_sdk.py"

if command -v node >/dev/null && command -v npm >/dev/null; then
  install_typescript
  run_sdk node "$work/typescript_sdk.mjs"
else
  echo "TypeScript SDK: skipped, node and npm are not on PATH (install Node 18 or newer to run it)"
fi

exit "$failures"
