#!/bin/sh
# install.sh PACKAGE...           installs the packages of Debian or Ubuntu that
#                                 are missing, as root or with sudo
# install.sh --for TARGET...      those that packages.sh has for the targets
#
# Who cannot install is told the whole list at once, and it fails.
set -eu

packages=$*
if [ "${1:-}" = --for ]; then
	shift
	packages=$("$(dirname "$0")/packages.sh" "$@")
fi
missing=
for p in $packages; do
	case "$missing " in *" $p "*) continue ;; esac
	dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

# give_up WHY ADVICE: the end, with the list.
give_up() {
	printf '%s, and these packages of Debian are missing. %s\n\n    apt-get install --no-install-recommends%s\n\n' "$1" "$2" "$missing"
	echo 'Without any of them there are: make generate, make check, make std, go test ./...'
	exit 1
} >&2

command -v apt-get >/dev/null || give_up 'This is neither Debian nor Ubuntu' 'Please install what they are called here:'
sudo=
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	command -v sudo >/dev/null && sudo true || give_up 'You are not root and cannot use sudo' 'Please have them installed:'
fi

echo "installing$missing" >&2
apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >/dev/null; }
# Lists that are absent or more than a day old may name files that are gone.
lists=/var/lib/apt/lists
if ! ls "$lists"/*_Packages* >/dev/null 2>&1 || [ -z "$(find "$lists/partial" -maxdepth 0 -mtime -1)" ]; then
	apt update
fi
# shellcheck disable=SC2086 # a list of names
apt install -y --no-install-recommends $missing || { apt update && apt install -y --no-install-recommends $missing; }
