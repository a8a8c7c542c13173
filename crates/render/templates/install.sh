#!/bin/sh
# Puts this bundle in place as a release. Rendered; run as root, on this node,
# from anywhere. It starts and stops nothing, and may be run again.
set -eu
umask 077
from=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
to=${1:-{{ dir }}}
release=$(sha256sum "$from/manifest.json" | cut -c1-16)

mkdir -p "$to/releases" "$to/services" "$to/live" "$to/data"
stage=$(mktemp -d "$to/releases/.stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT

# place DIR FILE OWNER MODE: copies a file of the bundle, whole or not at all.
place() {
	mkdir -p "$(dirname "$1/$2")"
	cp "$from/$2" "$1/$2.new"
	chown "$3" "$1/$2.new"
	chmod "$4" "$1/$2.new"
	mv -f "$1/$2.new" "$1/$2"
}
{% for file in files %}
place "$stage" {{ file.path }} {{ file.owner }} {{ file.mode }}
{%- endfor %}
place "$stage" manifest.json 0:0 0400
place "$stage" install.sh 0:0 0400

# Containers mount these two from beside the releases: services/ holds one
# directory for each content, live/ the files that are read again on reload.
chmod 755 "$to/services" "$to/live"
{%- for file in mounted %}
place "$to" {{ file.path }} {{ file.owner }} {{ file.mode }}
{%- endfor %}
find "$to/services" "$to/live" -type d -exec chmod 755 {} +

[ -d "$to/releases/$release" ] || mv "$stage" "$to/releases/$release"
ln -sfn "releases/$release" "$to/.current.new"
mv -fT "$to/.current.new" "$to/current"
echo "release $release is in place; to bring it up:"
echo "docker compose --project-directory $to --file $to/current/compose.yaml up --detach --remove-orphans"
