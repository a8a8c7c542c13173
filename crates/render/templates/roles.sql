-- The roles that log in, and their passwords: taken over at each start, one statement
-- on each line. Rendered: change the stage plot, not this file.
-- A statement that fails is not to be in the log, with what it would have set.
SET log_min_error_statement = panic;
{%- if password %}
ALTER ROLE "{{ user }}" PASSWORD {{ password }};
{%- endif %}
{%- if replicas | length > 0 %}
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{{ role }}') THEN CREATE ROLE {{ role | bare }} LOGIN REPLICATION; END IF; END $$;
{%- if replication_password %}
ALTER ROLE {{ role | bare }} PASSWORD {{ replication_password }};
{%- endif %}
{%- endif %}
