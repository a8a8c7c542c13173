#!/bin/sh
# Starts Postgres as {% if upstream %}a copy of the primary{% else %}the primary{% endif %}. Rendered: change the stage plot, not this file.
set -eu
umask 077
config={{ config }}
volume={{ volume }}
{%- if upstream %}
host={{ upstream.host }}
port={{ upstream.port }}
role={{ role }}
{%- else %}
private={{ private }}
user={{ user }}
database={{ database }}
{%- endif %}
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
{%- if upstream %}
{%- if replication_password %}

# What the primary is told, now and while it is followed. A substitution drops line breaks
# at the end, which a password may have.
password="$(cat "$config/replication-password"; echo x)"
export PGPASSWORD="${password%x}"
{%- endif %}

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
{%- else %}

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
{%- endif %}
