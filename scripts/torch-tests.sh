#!/usr/bin/env bash
# Runs tests/KvPareto.Torch.Tests with PyTorch's libraries, so that they run and do not skip.
#
#   scripts/torch-tests.sh [OPTIONS OF THE TEST PROGRAM]
#
# libtorch: the folder in KVPARETO_LIBTORCH, else NuGet's libtorch-cpu-linux-x64, fetched once into the packages folder (0.5 GB).
# TorchSharp needs a C++ library of GCC 13. Where this machine's is older, the tests run in a Debian 13 root that debootstrap makes once, in
# KVPARETO_TORCH_ROOT or the user's cache folder; that takes root. Where neither is possible, one line says why, and the exit status is 0.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
project=tests/KvPareto.Torch.Tests
program=$project/bin/Release/net10.0/KvPareto.Torch.Tests.dll

skip() { echo "torch tests: skipped: $1"; exit 0; }

if [ -z "${KVPARETO_LIBTORCH:-}" ]; then
  [ "$(uname -sm)" = "Linux x86_64" ] || skip "NuGet has no libtorch for $(uname -sm); set KVPARETO_LIBTORCH"
  dotnet restore $project -p:TorchLibrary=fetch >/dev/null 2>&1 || skip "libtorch-cpu-linux-x64 could not be fetched"
  packages=$(dotnet nuget locals global-packages --list | sed 's/^global-packages: //')
  KVPARETO_LIBTORCH=$(ls -d "${packages%/}"/libtorch-cpu-linux-x64/*/runtimes/linux-x64/native | tail -n 1)
fi
export KVPARETO_LIBTORCH KVPARETO_TORCH_TESTS=required
log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet build -c Release $project >"$log" 2>&1 || { cat "$log" >&2; exit 1; }

# Read to its end: an early exit would end ldconfig by a signal now and then, and with pipefail this script.
cpp=$(ldconfig -p 2>/dev/null | awk '!found && /libstdc\+\+\.so\.6 /{ print $NF; found = 1 }')
if [ -n "$cpp" ] && grep -q 'GLIBCXX_3\.4\.32' "$cpp"; then
  exec dotnet $program -noColor "$@"
fi

reason="libstdc++ here has no GLIBCXX_3.4.32, and a Debian 13 root"
[ "$(id -u)" = 0 ] || skip "$reason takes root"
command -v unshare >/dev/null && unshare --mount true 2>/dev/null || skip "$reason takes mounts of its own, which are not allowed here"
root=${KVPARETO_TORCH_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/kvpareto/debian13}
if [ ! -e "$root/etc/debian_version" ]; then
  if ! command -v debootstrap >/dev/null; then
    { apt-get install -y debootstrap || { apt-get update && apt-get install -y debootstrap; }; } >/dev/null 2>&1 || skip "$reason takes debootstrap"
  fi
  mkdir -p "$(dirname "$root")"
  making=$(mktemp -d "$root.XXXXXX")
  if ! debootstrap --variant=minbase trixie "$making" >"$log" 2>&1; then
    rm -rf "$making"
    skip "$reason could not be made: $(tail -n 1 "$log")"
  fi
  chmod 755 "$making"
  mv -T "$making" "$root" 2>/dev/null || rm -rf "$making" # another run was faster
fi

# What is mounted is seen by this shell alone, and ends with it.
dotnet_folder=$(dotnet --list-runtimes | sed -n 's/^Microsoft\.NETCore\.App [^[]*\[\(.*\)\/shared\/Microsoft\.NETCore\.App\]$/\1/p' | tail -n 1)
mkdir -p "$root"/{repository,libtorch,dotnet,shared,smollm2}
shared=${KVPARETO_SHARED:-$PWD/../shared}
unshare --mount bash -euc '
  root=$1; repository=$2; libtorch=$3; dotnet_folder=$4; program=$5; shared=$6; smollm2=$7; settings=$8; shift 8
  mount --bind "$repository" "$root/repository"
  mount --bind "$libtorch" "$root/libtorch"
  mount --bind "$dotnet_folder" "$root/dotnet"
  mount --bind /dev "$root/dev"
  [ ! -d "$shared" ] || mount --bind "$(realpath "$shared")" "$root/shared"
  [ ! -d "$smollm2" ] || { mount --bind "$smollm2" "$root/smollm2"; smollm2=/smollm2; }
  mount -t proc proc "$root/proc" 2>/dev/null || mount --bind /proc "$root/proc"
  exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/tmp DOTNET_CLI_TELEMETRY_OPTOUT=1 KVPARETO_LIBTORCH=/libtorch KVPARETO_TORCH_TESTS=required \
    KVPARETO_SHARED=/shared KVPARETO_SMOLLM2="$smollm2" KVPARETO_FIDELITY_SETTINGS="$settings" \
    /dotnet/dotnet "/repository/$program" -noColor "$@"
' torch-tests "$root" "$PWD" "$KVPARETO_LIBTORCH" "$dotnet_folder" "$program" "$shared" "${KVPARETO_SMOLLM2:-}" "${KVPARETO_FIDELITY_SETTINGS:-}" "$@"
