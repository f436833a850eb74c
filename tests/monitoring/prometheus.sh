#!/usr/bin/env bash
# Print a folder that holds prometheus and promtool: where they are installed, else Debian's package, unpacked into .local
# (not installed: nothing is started, and nobody has to be root).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
  dirname "$(command -v promtool)"
  exit
fi
kept=$PWD/.local/prometheus
if [ ! -x "$kept/usr/bin/promtool" ]; then
  if ! command -v apt-get >/dev/null; then
    echo "monitoring: install Prometheus, so that prometheus and promtool are on PATH" >&2
    exit 1
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  fetch() { (cd "$work" && apt-get -qq download prometheus 2>"$work/said"); }
  if ! fetch; then
    apt-get -qq update >"$work/updated" 2>&1 || true # the list of packages may be missing or old
    fetch || { cat "$work/said" "$work/updated" >&2; exit 1; }
  fi
  mkdir -p "$kept"
  dpkg-deb -x "$work"/prometheus_*.deb "$kept"
fi
echo "$kept/usr/bin"
