#!/bin/sh
# Starts Postgres as the primary. Rendered: change the stage plot, not this file.
set -eu
umask 077
config='/etc/postgresql'
volume='/var/lib/postgresql/data'
private='/run/stageplot'
user='microvibe'
database='microvibe'
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

if [ -d "$PGDATA/copying" ]; then
	echo "a copy was cut short here, which cannot be the primary: let the node that has the data be it" >&2
	exit 1
elif [ -s "$PGDATA/PG_VERSION" ]; then
	if [ -e "$PGDATA/standby.signal" ]; then
		# It was a copy until now: from here on it has a history of its own.
		export PGCTLTIMEOUT=86400
		run /dev/null pg_ctl --wait --options "-c $settings -c listen_addresses=''" start
		run /dev/null pg_ctl --wait promote
		run /dev/null pg_ctl --wait --mode fast stop
	fi
	run "$config/roles.sql" postgres --single -D "$PGDATA" -c "$settings" -c log_min_error_statement=panic \
		template1 >/dev/null
else
	# The image wants a first password, of one line. What it runs last, as its own user,
	# sets the real one.
	POSTGRES_PASSWORD=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
	export POSTGRES_PASSWORD POSTGRES_USER="$user" POSTGRES_DB="$database"
	export POSTGRES_INITDB_ARGS=--data-checksums
	mkdir -p "$private"
	cp "$config/roles.sql" "$private/"
	chown -R postgres "$private"
	ln -sf "$private/roles.sql" /docker-entrypoint-initdb.d/zz-roles.sql
fi
exec docker-entrypoint.sh postgres -c "$settings"
