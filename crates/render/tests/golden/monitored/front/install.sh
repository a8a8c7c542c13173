#!/bin/sh
# Puts this bundle in place as a release. Rendered; run as root, on this node,
# from anywhere: sh install.sh [DIRECTORY]. It starts and stops nothing, and may
# be run again.
set -eu
umask 077
dir='/opt/stageplot/live'
sealed=yes
if [ "$sealed" = yes ]; then
	echo "this bundle is sealed: it was rendered without its secrets; render it again without --sealed" >&2
	exit 1
fi

# Calls a function with the path, owner and mode of every file.
each_file() {
	"$1" 'services/boards/b9094a0c9dfc/datasources/stageplot.yml' '472:0' '0400'
	"$1" 'services/boards/b9094a0c9dfc/dashboards/stageplot.yml' '472:0' '0400'
	"$1" 'services/boards/b9094a0c9dfc/boards/stack.json' '472:0' '0400'
	"$1" 'services/boards/cf9896afe384/env' '0:0' '0400'
	"$1" 'live/checks/env' '0:0' '0400'
	"$1" 'live/edge/Caddyfile' '0:0' '0400'
	"$1" 'services/numbers/9b291deaee01/prometheus.yml' '65534:65534' '0400'
	"$1" 'services/numbers/9b291deaee01/rules.yml' '65534:65534' '0400'
	"$1" 'services/numbers/9b291deaee01/grafana-dashboard.json' '65534:65534' '0400'
	"$1" 'compose.yaml' '0:0' '0400'
	"$1" 'firewall/stageplot.nft' '0:0' '0400'
	"$1" 'README.md' '0:0' '0644'
	"$1" 'system/90-stageplot-live.conf' '0:0' '0644'
	"$1" 'system/stageplot-live-firewall.service' '0:0' '0644'
	"$1" 'system/stageplot-live.service' '0:0' '0644'
	"$1" manifest.json 0:0 0400
	"$1" install.sh 0:0 0400
}

# The same for those that containers mount from beside the releases: services/
# holds one directory for each content, live/ the files that a reload reads.
each_mounted() {
	:
	"$1" 'services/boards/b9094a0c9dfc/datasources/stageplot.yml' '472:0' '0400'
	"$1" 'services/boards/b9094a0c9dfc/dashboards/stageplot.yml' '472:0' '0400'
	"$1" 'services/boards/b9094a0c9dfc/boards/stack.json' '472:0' '0400'
	"$1" 'services/boards/cf9896afe384/env' '0:0' '0400'
	"$1" 'live/checks/env' '0:0' '0400'
	"$1" 'live/edge/Caddyfile' '0:0' '0400'
	"$1" 'services/numbers/9b291deaee01/prometheus.yml' '65534:65534' '0400'
	"$1" 'services/numbers/9b291deaee01/rules.yml' '65534:65534' '0400'
	"$1" 'services/numbers/9b291deaee01/grafana-dashboard.json' '65534:65534' '0400'
}

# Directories for data, which this makes and never empties.
each_data() {
	:
	"$1" 'data/boards' '472:0'
	"$1" 'data/edge/data' '0:0'
	"$1" 'data/edge/config' '0:0'
	"$1" 'data/numbers' '65534:65534'
}

to=${1:-$dir}
script=$0
case $script in */*) ;; *) script=./$script ;; esac
from=${script%/*}
release=$(sha256sum "$from/manifest.json" | cut -c1-16)

mkdir -p "$to/releases" "$to/services" "$to/live" "$to/data"
# One at a time; what a killed run left is nobody's then.
exec 9>"$to/.lock"
flock 9
rm -rf "$to"/releases/.stage.*
stage=$(mktemp -d "$to/releases/.stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT

# A copy that was cut short, or that mixes two renderings, is told before anything is
# touched: each file's digest stands in the manifest.
whole() {
	case $1 in manifest.json | install.sh) return 0 ;; esac
	sum=
	[ ! -f "$from/$1" ] || sum=$(sha256sum <"$from/$1" | cut -c1-64)
	if [ -z "$sum" ] || ! grep -qF "\"$sum\"" "$from/manifest.json"; then
		echo "$from/$1 is not what manifest.json says: copy the whole bundle again" >&2
		exit 1
	fi
}
each_file whole

# Copies a file of the bundle, whole or not at all.
place() {
	install -D -m 0600 "$from/$2" "$1/$2.new"
	chown "$3" "$1/$2.new"
	chmod "$4" "$1/$2.new"
	mv -f "$1/$2.new" "$1/$2"
}
to_release() { place "$stage" "$@"; }
to_mounts() { place "$to" "$@"; }
to_data() {
	[ ! -d "$to/$1" ] || return 0
	mkdir -p "$to/$1"
	chown "$2" "$to/$1"
}
each_data to_data
each_file to_release
each_mounted to_mounts

# Takes away what other releases put in live/ and this one has not.
for other in "$to"/releases/*/live; do
	[ -d "$other" ] || continue
	(cd "$other" && find . -type f) | while IFS= read -r file; do
		[ -e "$stage/live/$file" ] || rm -f "$to/live/$file"
	done
done

# A container's own user has to get through to its files; the directory above
# keeps everybody else out.
find "$to/services" "$to/live" -type d -exec chmod 755 {} +
chmod 700 "$to"

was=$(readlink "$to/current" || true)
[ -d "$to/releases/$release" ] || mv "$stage" "$to/releases/$release"
ln -sfn "releases/$release" "$to/.current.new"
mv -fT "$to/.current.new" "$to/current"
case $was in
"releases/$release") echo "release $release was in place already: nothing of it changed" ;;
*) echo "release $release is in place" ;;
esac
