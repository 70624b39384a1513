# What install and upgrade share: where things are, and how a build becomes a release. Sourced after prepare.bash.

settings=/etc/atelier/atelier.toml
home=/var/lib/atelier
library=/usr/lib/atelier
socket=/run/atelier/http.sock
upgrading=/run/atelier-upgrading

need_root() { [ "$(id -u)" -eq 0 ] || fail "this needs root." "Run: sudo $0 $*"; }

has_systemd() { [ -d /run/systemd/system ]; }

# As the instance's user, with its settings; never as root, whose files the server could not read.
as_atelier() { (cd / && runuser -u atelier -- env ATELIER_CONFIG=$settings "$@"); }

base_url() { sed -n 's/^base_url *= *"\(.*\)"/\1/p' "$settings" | head -n 1; }

# put_file SOURCE TARGET [MODE]: whole or not at all; false when it was the same already.
put_file() {
  if cmp -s "$1" "$2"; then chmod "${3:-0644}" "$2"; return 1; fi
  install -m "${3:-0644}" "$1" "$2.new"
  mv "$2.new" "$2"
}

# put_release BINARY: a folder of its own with the program and the parts of the Swift runtime it needs, so that neither
# a new toolchain nor a new build changes what runs. Prints its path.
put_release() {
  local binary=$1 name folder lib
  name=$(sha256sum "$binary" | cut -c 1-16)
  folder=$library/releases/$name
  if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    install -m 0755 "$binary" "$folder/atelier"
    for lib in $(ldd "$binary" | awk '$3 ~ /\/swift\/linux\// { print $3 }'); do
      install -m 0644 "$lib" "$folder/"
    done
    if ldd "$folder/atelier" | grep -q 'not found'; then
      ldd "$folder/atelier" | grep 'not found' >&2
      fail "the program lacks libraries on this machine." "It was built for another one: build it here."
    fi
    install -m 0644 "$repository/Deploy/operating.md" "$folder/"
    sync -f "$folder"
    touch "$folder/complete"
  fi
  echo "$folder"
}

use_release() {
  ln -sfn "$1" "$library/current.new"
  mv -T "$library/current.new" "$library/current"
}

# By the socket, past the proxy: the new program is asked before the world is.
answers() {
  local host
  host=$(base_url)
  curl -fsS --max-time 5 --unix-socket "$socket" -H "Host: ${host#https://}" http://atelier/nodeinfo/2.0 2>/dev/null \
    | grep -q '"atelier"'
}

wait_for_answer() {
  local end=$((SECONDS + ${1:-60}))
  until answers; do
    if [ $SECONDS -ge $end ] || ! systemctl is-active --quiet atelier; then return 1; fi
    sleep 0.5
  done
}

put_units() {
  local name changed=
  mkdir -p "$library"
  for name in atelier.service atelier-backup.service atelier-backup.timer atelier-resolver.service atelier-resolver.path
  do
    put_file "$repository/Deploy/system/$name" "/etc/systemd/system/$name" && changed=yes
  done
  put_file "$repository/Deploy/system/allow-resolver" "$library/allow-resolver" 0755 || true
  "$library/allow-resolver"
  [ -z "$changed" ] || ! has_systemd || systemctl daemon-reload
}
