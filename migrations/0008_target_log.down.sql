DROP TRIGGER action_target_is_changed ON action_targets;
DROP TRIGGER action_targets_are_new ON action_targets;
DROP FUNCTION tell_of_changed_target;
DROP FUNCTION tell_of_new_targets;
DROP FUNCTION is_dead_letter;
-- What was decided about dead letters is nothing that a program of before knows; the audit keeps nothing that it could not read.
ALTER TABLE audit DISABLE TRIGGER audit_is_append_only;
DELETE FROM audit WHERE deed IN ('replay', 'discard');
ALTER TABLE audit ENABLE TRIGGER audit_is_append_only;
ALTER TABLE audit DROP CONSTRAINT audit_deed_check;
ALTER TABLE audit DROP COLUMN dead_letter_id;
ALTER TABLE audit ADD CONSTRAINT audit_deed_check CHECK (deed IN ('create', 'cancel'));
ALTER TABLE actions DROP COLUMN ended_at;
ALTER TABLE actions DROP COLUMN replay_of;
DROP TABLE dead_letters;
DROP TABLE target_log_readers;
DROP TABLE target_log;
