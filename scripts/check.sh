#!/usr/bin/env bash
# What has to hold before a commit: format, build without warnings, tests.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet format --verify-no-changes --severity warn
dotnet build -c Release
.ci/run
