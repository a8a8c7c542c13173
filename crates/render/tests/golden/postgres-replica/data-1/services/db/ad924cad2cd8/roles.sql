-- The roles that log in, and their passwords: taken over at each start, one statement
-- on each line. Rendered: change the stage plot, not this file.
-- A statement that fails is not to be in the log, with what it would have set.
SET log_min_error_statement = panic;
ALTER ROLE "api" PASSWORD E'sealed:POSTGRES_PASSWORD';
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'stageplot_replica') THEN CREATE ROLE stageplot_replica LOGIN REPLICATION; END IF; END $$;
ALTER ROLE stageplot_replica PASSWORD E'sealed:POSTGRES_REPLICATION_PASSWORD';
