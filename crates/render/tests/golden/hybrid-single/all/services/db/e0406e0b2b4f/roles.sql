-- The roles that log in, and their passwords: taken over at each start, one statement
-- on each line. Rendered: change the stage plot, not this file.
-- A statement that fails is not to be in the log, with what it would have set.
SET log_min_error_statement = panic;
ALTER ROLE "microvibe" PASSWORD E'sealed:POSTGRES_PASSWORD';
