-- What waits cannot be published by a program that knows no queue.
UPDATE action_targets t SET status = 'undeliverable', reason = coalesce(reason, 'not_sent'), updated_at = now()
  FROM queued_targets q WHERE t.action_id = q.action_id AND t.client_id = q.client_id AND t.status = 'queued';
DROP TABLE mailboxes;
DROP TABLE queued_targets;
ALTER TABLE idempotency_keys DROP COLUMN dispatcher;
COMMENT ON COLUMN idempotency_keys.lease_until IS 'Until then the process that accepted the request finishes it; later anybody may.';
DROP TABLE dispatchers;
ALTER TABLE actions DROP COLUMN if_offline;
