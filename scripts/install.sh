#!/bin/sh
# install.sh PACKAGE... installs the packages of Debian or Ubuntu that are
# missing, with sudo unless it runs as root. Elsewhere it names them and fails.
set -eu

missing=
for p in "$@"; do
	dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "install.sh: this is neither Debian nor Ubuntu: please install what they call$missing" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "install.sh: neither root nor sudo: please run: apt-get install$missing" >&2
		exit 1
	}
	sudo=sudo
fi

echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >/dev/null; }
# Lists that are absent or more than a day old may name files that are gone.
lists=/var/lib/apt/lists
if ! ls "$lists"/*_Packages* >/dev/null 2>&1 || [ -z "$(find "$lists/partial" -maxdepth 0 -mtime -1)" ]; then
	apt update
fi
# shellcheck disable=SC2086 # a list of names
apt install -y --no-install-recommends $missing || { apt update && apt install -y --no-install-recommends $missing; }
