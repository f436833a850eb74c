#!/usr/bin/env bash
# Have TypeScript's compiler hold dashboard.json against the types of Grafana's schema. Needs Node; without it, nothing is done.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "Grafana's types: skipped, node and npm are not on PATH (install Node 18 or newer to run it)"
  exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/dashboard_types.ts" "$work/"
cd "$work"
npm ci --silent --ignore-scripts --no-audit --no-fund
{
  echo 'import type { Ours } from "./dashboard_types";'
  echo 'export const dashboard: Ours ='
  cat "$here/../../../k8s/monitoring/dashboard.json"
} >dashboard.ts
node_modules/.bin/tsc --noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler --target es2022 dashboard.ts
echo "Grafana's types: dashboard.json is what @grafana/schema $(node -p 'require("@grafana/schema/package.json").version') knows"
