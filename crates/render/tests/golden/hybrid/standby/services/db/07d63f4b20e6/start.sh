#!/bin/sh
# Starts Postgres as a copy of the primary. Rendered: change the stage plot, not this file.
set -eu
umask 077
config='/etc/postgresql'
volume='/var/lib/postgresql/data'
host='10.0.0.13'
port=5432
role='stageplot_replica'
settings="config_file=$config/postgresql.conf"

# Until Postgres takes the place of this shell, it is the shell that Docker stops. What
# runs beside a shell ignores SIGINT.
child=
trap 'if [ -n "$child" ]; then kill "$child"; wait "$child"; fi; exit 130' INT TERM

mkdir -p "$PGDATA"
chmod 700 "$PGDATA"
find "$volume" ! -user postgres -exec chown postgres '{}' +
step=$(command -v gosu || command -v su-exec)

# run INPUT COMMAND…: runs a program as the user that Postgres has, and can be stopped
# meanwhile.
run() {
	input=$1
	shift
	"$step" postgres "$@" <"$input" &
	child=$!
	status=0
	wait "$child" || status=$?
	child=
	return "$status"
}

# What the primary is told, now and while it is followed. A substitution drops line breaks
# at the end, which a password may have.
password="$(cat "$config/replication-password"; echo x)"
export PGPASSWORD="${password%x}"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	# What a copy that was cut short has left: nothing else makes such a directory.
	if [ -d "$PGDATA/copying" ]; then
		for file in "$PGDATA"/*; do
			[ "${file##*/}" = copying ] || rm -rf "$file"
		done
		rm -rf "$PGDATA/copying"
	fi
	export PGCONNECT_TIMEOUT=10
	tries=0
	until run /dev/null pg_basebackup --pgdata "$PGDATA/copying" --checkpoint fast \
		--wal-method stream --host "$host" --port "$port" --username "$role" --no-password; do
		tries=$((tries + 1))
		# Docker begins again, each time a little later.
		if [ "$tries" -ge 20 ]; then
			exit 1
		fi
		run /dev/null sleep 3
	done
	sync
	# With this file in its place, the copy is whole.
	for file in "$PGDATA"/copying/*; do
		[ "${file##*/}" = PG_VERSION ] || mv "$file" "$PGDATA/"
	done
	mv "$PGDATA/copying/PG_VERSION" "$PGDATA/"
	rmdir "$PGDATA/copying"
fi
: >"$PGDATA/standby.signal"
chown postgres "$PGDATA/standby.signal"

# It does not start with less than the primary had when it wrote what is to be replayed.
set -- postgres -c "$settings"
for setting in max_connections max_wal_senders; do
	had=$(LC_ALL=C pg_controldata "$PGDATA" | sed -n "s/^$setting setting: *//p")
	wanted=$(sed -n "s/^$setting = //p" "$config/postgresql.conf")
	[ "${had:-0}" -le "$wanted" ] || set -- "$@" -c "$setting=$had"
done
exec docker-entrypoint.sh "$@"
