#!/usr/bin/env bash
# Makes what is given to others, and uses it: the .NET tool (dotnet pack, installed from the folder) and the program as one file for
# linux-x64 (dotnet publish -r linux-x64). Each says its version, sweeps an embedded model and draws;
# the second finds the first's scores and peaks.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 NO_COLOR=1
project=src/KvPareto.Cli
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "pack-test: $1" >&2; exit 1; }
quietly() { "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "failed: $*"; }; }

cat > "$work/small.yaml" << 'YAML'
name: small
seed: 1
models: [embedded:llama]
tasks:
  - {task: embedded, kind: fact, samples: 2, length: 128}
settings: [w16a16-k8v8-t64-c64, w16a16-k2v2-t64-c64]
baseline: w16a16-k16v16-c64
YAML
version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' Directory.Build.props)
grep -q "^## \[$version\]" CHANGELOG.md || fail "CHANGELOG.md has no section for $version"

# uses PROGRAM NAME
uses() {
  [ "$("$1" --version)" = "$version" ] || fail "$2: --version is not $version"
  quietly "$1" sweep "$work/small.yaml" --out "$work/$2" --threads 2 --format png,svg,pdf
  for picture in frontier.png frontier.svg frontier.pdf; do
    [ "$(stat -c %s "$work/$2/$picture")" -gt 5000 ] || fail "$2: $picture was not drawn"
  done
  grep -q "\"version\": *\"$version\"" "$work/$2/run.json" || fail "$2: run.json has another version"
}

quietly dotnet pack $project -c Release -o "$work/packages"
quietly dotnet tool install kvpareto --version "$version" --tool-path "$work/tools" --source "$work/packages"
uses "$work/tools/kvpareto" tool
echo "pack-test: tool: $(du -m "$work/packages/kvpareto.$version.nupkg" | cut -f1) MB"

if [ "$(uname -sm)" = "Linux x86_64" ]; then
  quietly dotnet publish $project -c Release -r linux-x64 -o "$work/publish"
  [ "$(ls "$work/publish")" = kvpareto ] || fail "published is more than one file: $(ls "$work/publish")"
  export DOTNET_BUNDLE_EXTRACT_BASE_DIR=$work/unpacked DOTNET_ROOT=/nonexistent
  uses "$work/publish/kvpareto" published
  quietly "$work/publish/kvpareto" frontier "$work/published" --check "$work/tool/results.csv"
  echo "pack-test: one file: $(du -m "$work/publish/kvpareto" | cut -f1) MB"
fi
echo "pack-test: passed"
