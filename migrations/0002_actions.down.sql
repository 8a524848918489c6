DROP TABLE idempotency_keys;
DROP TABLE action_targets;
DROP TABLE actions;
