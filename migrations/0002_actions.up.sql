-- What callers asked of devices, what became of it, and the answers they got.

-- Texts that are compared, sorted and paged by are in the C collation: byte order, the same on every machine, and usable
-- by an index for prefixes.

CREATE TABLE actions (
  action_id    uuid PRIMARY KEY,
  tenant       text COLLATE "C",
  requested_by text NOT NULL,
  directive    text COLLATE "C" NOT NULL,
  payload      json NOT NULL,
  metadata     json,
  created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE actions IS 'One row for each action that was accepted.';
COMMENT ON COLUMN actions.action_id IS 'UUID version 7; the message_id with which the action reaches its devices.';
COMMENT ON COLUMN actions.tenant IS 'Whose action it is; null = an operator''s.';
COMMENT ON COLUMN actions.requested_by IS 'The caller''s name.';
COMMENT ON COLUMN actions.directive IS 'Which handler on the device it is for.';
COMMENT ON COLUMN actions.payload IS 'Any JSON, as it travels in `content`. Not jsonb, which would refuse U+0000 and round numbers.';
COMMENT ON COLUMN actions.metadata IS 'An object of strings, or null.';
COMMENT ON COLUMN actions.created_at IS 'When it was accepted.';

-- No foreign key to actions: both are only ever written in one statement, and checking it costs more than the insert itself
-- when an action has 10,000 targets. Status and result change in place, hence room in each page (heap-only updates).
CREATE TABLE action_targets (
  action_id          uuid NOT NULL,
  client_id          text COLLATE "C" NOT NULL,
  status             text COLLATE "C" NOT NULL CHECK (status IN
                       ('accepted', 'queued', 'published', 'delivered', 'running', 'succeeded', 'failed', 'expired',
                        'offline', 'unknown', 'unauthorised', 'cancelled', 'undeliverable')),
  reason             text,
  progress           smallint CHECK (progress BETWEEN 0 AND 100),
  note               text,
  updated_at         timestamptz NOT NULL DEFAULT now(),
  result_content     json,
  result_metadata    json,
  result_received_at timestamptz,
  result_late        boolean NOT NULL DEFAULT false,
  PRIMARY KEY (action_id, client_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE action_targets IS 'One row for each device of an action.';
COMMENT ON COLUMN action_targets.action_id IS 'The action.';
COMMENT ON COLUMN action_targets.client_id IS 'The device, whether it exists or not.';
COMMENT ON COLUMN action_targets.status IS 'Where the target stands; the rules are in src/action/target_status.cc.';
COMMENT ON COLUMN action_targets.reason IS 'Why it is so: our word, or what the device said when it failed.';
COMMENT ON COLUMN action_targets.progress IS 'Percent, as the device last said while running.';
COMMENT ON COLUMN action_targets.note IS 'What the device last said beside its progress.';
COMMENT ON COLUMN action_targets.updated_at IS 'When the row last changed.';
COMMENT ON COLUMN action_targets.result_content IS 'What the device answered at the end; any JSON.';
COMMENT ON COLUMN action_targets.result_metadata IS 'The metadata of that answer: an object of strings, or null.';
COMMENT ON COLUMN action_targets.result_received_at IS 'When Kafka stored that answer; null = there is none.';
COMMENT ON COLUMN action_targets.result_late IS 'The answer came when the target had ended otherwise; its status stays.';

CREATE TABLE idempotency_keys (
  tenant       text COLLATE "C" NOT NULL,
  key          text COLLATE "C" NOT NULL,
  request_hash text COLLATE "C" NOT NULL,
  action_id    uuid NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  lease_until  timestamptz NOT NULL,
  answer       text,
  PRIMARY KEY (tenant, key)
) WITH (fillfactor = 80);
COMMENT ON TABLE idempotency_keys IS 'The requests of the last 24 hours by their Idempotency-Key, each with the answer it got.';
COMMENT ON COLUMN idempotency_keys.tenant IS 'The caller''s tenant; empty = an operator, so that the key is unique among operators too.';
COMMENT ON COLUMN idempotency_keys.key IS 'The Idempotency-Key.';
COMMENT ON COLUMN idempotency_keys.request_hash IS 'SHA-256 of the request''s meaning, in hexadecimal: the same key with another request is refused.';
COMMENT ON COLUMN idempotency_keys.action_id IS 'The action that the request created.';
COMMENT ON COLUMN idempotency_keys.created_at IS 'When the request was accepted; the key is free again 24 hours later.';
COMMENT ON COLUMN idempotency_keys.lease_until IS 'Until then the process that accepted the request finishes it; later anybody may.';
COMMENT ON COLUMN idempotency_keys.answer IS 'The body of the answer; null = the request is not finished yet.';

-- Requests that nobody finished: looked for every few seconds, and nearly always none.
CREATE INDEX idempotency_keys_unfinished ON idempotency_keys (lease_until) WHERE answer IS NULL;
-- Keys that are free again.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
