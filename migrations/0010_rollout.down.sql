-- What is held back goes at once: a program of before knows nothing of rollouts, and every target must end.
INSERT INTO queued_targets (client_id, place, action_id, tries, pauses) OVERRIDING SYSTEM VALUE
  SELECT client_id, place, action_id, tries, pauses FROM held_targets;
INSERT INTO mailboxes AS m (client_id, wake_at)
  SELECT DISTINCT client_id, now() FROM held_targets ORDER BY client_id
  ON CONFLICT (client_id) DO UPDATE SET arrivals = m.arrivals + 1, wake_at = now();
DROP TRIGGER permitted_target_has_ended ON action_targets;
DROP FUNCTION tell_rollout_of_end;
DROP TABLE rollout_changes;
DROP TABLE held_targets;
DROP TABLE rollouts;
ALTER TABLE action_targets DROP COLUMN permitted;
ALTER TABLE audit DISABLE TRIGGER audit_is_append_only;
DELETE FROM audit WHERE deed IN ('pause', 'resume');
ALTER TABLE audit ENABLE TRIGGER audit_is_append_only;
ALTER TABLE audit DROP CONSTRAINT audit_deed_check;
ALTER TABLE audit ADD CONSTRAINT audit_deed_check CHECK (deed IN ('create', 'cancel', 'replay', 'discard'));
DROP INDEX actions_stopped;
DROP INDEX actions_open;
ALTER TABLE actions
  DROP COLUMN cancelled_at, DROP COLUMN aborted_at, DROP COLUMN paused_at, DROP COLUMN paced,
  DROP COLUMN abort_min_finished, DROP COLUMN abort_failed_percent, DROP COLUMN max_in_flight,
  DROP COLUMN rate_per_s, DROP COLUMN not_before;
