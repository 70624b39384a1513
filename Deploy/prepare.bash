# What the commands beside this file share: finding out what is missing, installing it or saying how.
# Sourced, never run.

# An interrupted installation must not ask questions, and a machine's own language must not change what is parsed.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
started_at=$SECONDS

say() { printf '==> %s\n' "$*"; }
hint() { printf '    %s\n' "$*"; }
fail() {
  printf '\nerror: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

has_package() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The name under which this release of the distribution carries a package.
package_named() {
  local name
  for name in "$@"; do
    if has_package "$name" || apt-cache show "$name" >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  echo "$1"
}

# need_packages NAME… installs what is missing as root, else says the line that does.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    hint "Not a Debian system: the libraries and their headers must be there already (OpenSSL, libxml2, SQLite, libvips)."
    return
  fi
  local name missing=()
  for name in "$@"; do has_package "$name" || missing+=("$name"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    fail "these packages are missing: ${missing[*]}" "Install them, then run this command again:" \
      "" "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "Installing ${missing[*]}"
  local apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update >/dev/null </dev/null || hint "The package lists could not be refreshed; trying with those here."
  if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >"$(log_file packages)" 2>&1; then
    tail -n 20 "$(log_file packages)" >&2
    fail "the packages could not be installed." "The whole output is in $(log_file packages)."
  fi
}

# The three libraries that Atelier is built on, the one it loads, and what a bare system lacks for the toolchain itself.
need_build_packages() {
  need_packages libssl-dev libxml2-dev libsqlite3-dev "$(package_named libvips42 libvips42t64)" \
    pkg-config git ca-certificates gcc g++ libc6-dev zlib1g-dev libncurses6 "$(package_named libcurl4 libcurl4t64)" tzdata
}

need_swift() {
  local folder
  for folder in /opt/swift/usr/bin /usr/local/swift/usr/bin "${SWIFTLY_BIN_DIR:-${HOME:-/root}/.local/share/swiftly/bin}"; do
    command -v swift >/dev/null || { [ -x "$folder/swift" ] && PATH="$folder:$PATH"; } || true
  done
  local advice=(
    "Swift 6.2 or newer builds Atelier. To install it for this user:" ""
    "  sudo apt-get install -y curl gnupg"
    "  curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz"
    "  tar zxf swiftly-$(uname -m).tar.gz && ./swiftly init" ""
    "or see https://www.swift.org/install/linux/. Then run this command again in a new shell."
  )
  command -v swift >/dev/null || fail "there is no Swift toolchain here." "${advice[@]}"
  local version
  version=$({ swift --version 2>&1 || true; } | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  [ -n "$version" ] || swift --version >&2 || true
  if [ -z "$version" ] || [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -n 1)" != 6.2 ]; then
    fail "the Swift toolchain here is ${version:-broken} ($(command -v swift))." "${advice[@]}"
  fi
  say "Swift $version"
}

# need_space FOLDER MEGABYTES: a build that dies on a full disk leaves an error that nobody can read.
need_space() {
  local folder=$1 wanted=$2 free
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge "$wanted" ] || fail "$folder has $free MB left; $wanted MB are needed." \
    "Free some space there, for example an old build: rm -rf $repository/.build"
}

log_file() {
  local folder=$repository/.build
  mkdir -p "$folder"
  echo "$folder/deploy-$1.log"
}

# One line a tenth of the way where nobody watches; the toolchain's own progress line where somebody does.
build() {
  local log
  log=$(log_file build)
  say "Building (the first time takes some minutes)"
  if [ -t 1 ]; then
    swift build --package-path "$repository" "$@" || fail "the build failed." "The reason is in the lines above."
    return
  fi
  if ! swift build --package-path "$repository" "$@" 2>&1 | tee "$log" | awk -F'[][/]' '
    /error:/ { print; fflush() }
    /^\[[0-9]+\/[0-9]+\]/ {
      tenth = int(10 * $2 / $3)
      if ($3 > 20 && tenth != last) { last = tenth; printf "    %d of %d steps\n", $2, $3; fflush() }
    }'; then
    tail -n 40 "$log" >&2
    fail "the build failed." "The whole output is in $log."
  fi
}

took() { local seconds=$((SECONDS - started_at)); echo "$((seconds / 60)) min $((seconds % 60)) s"; }
