DROP INDEX actions_by_deadline;
ALTER TABLE actions DROP COLUMN closed;
ALTER TABLE actions DROP COLUMN deadline;
