-- Actions that wait in the database, for their device or for the broker; and the processes that may publish.

ALTER TABLE actions ADD COLUMN if_offline text COLLATE "C" NOT NULL DEFAULT 'fail' CHECK (if_offline IN ('fail', 'queue'));
COMMENT ON COLUMN actions.if_offline IS 'What becomes of a target whose device is offline when the action is accepted.';

CREATE TABLE dispatchers (
  client_id   text COLLATE "C" PRIMARY KEY,
  lease_until timestamptz NOT NULL,
  lost        boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE dispatchers IS 'The processes that may publish actions; a handful of rows.';
COMMENT ON COLUMN dispatchers.client_id IS 'The MQTT client id under which it publishes; never used again once it is gone from here.';
COMMENT ON COLUMN dispatchers.lease_until IS 'Renewed every second; when it is over another process may take its work.';
COMMENT ON COLUMN dispatchers.lost IS 'Another process is taking its work: the lease cannot be renewed any more.';

ALTER TABLE idempotency_keys ADD COLUMN dispatcher text COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN idempotency_keys.dispatcher IS 'Who publishes the action: dispatchers.client_id.';
COMMENT ON COLUMN idempotency_keys.lease_until IS 'Until then the process that accepted the request finishes it, if it lives; later anybody may.';

CREATE TABLE queued_targets (
  client_id text COLLATE "C" NOT NULL,
  place     bigint GENERATED ALWAYS AS IDENTITY,
  action_id uuid NOT NULL,
  tries     integer NOT NULL DEFAULT 0,
  pauses    integer NOT NULL DEFAULT 0,
  PRIMARY KEY (client_id, place)
) WITH (fillfactor = 80);
COMMENT ON TABLE queued_targets IS 'Targets with the status queued, each device''s in the order in which they are published.';
COMMENT ON COLUMN queued_targets.client_id IS 'The device.';
COMMENT ON COLUMN queued_targets.place IS 'Smaller is earlier.';
COMMENT ON COLUMN queued_targets.action_id IS 'The action; at most once for each device.';
COMMENT ON COLUMN queued_targets.tries IS 'How often it may have been published already.';
COMMENT ON COLUMN queued_targets.pauses IS 'How often it was tried in vain, which makes the next pause longer.';
CREATE UNIQUE INDEX queued_targets_by_action ON queued_targets (action_id, client_id);

CREATE TABLE mailboxes (
  client_id text COLLATE "C" PRIMARY KEY,
  wake_at   timestamptz NOT NULL,
  owner     text COLLATE "C",
  arrivals  bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
COMMENT ON TABLE mailboxes IS 'The devices for which targets are queued: one process at a time publishes what is in one.';
COMMENT ON COLUMN mailboxes.client_id IS 'The device.';
COMMENT ON COLUMN mailboxes.wake_at IS 'When to look next; infinity = when the device comes online.';
COMMENT ON COLUMN mailboxes.owner IS 'Who publishes from it just now: dispatchers.client_id; null = nobody.';
COMMENT ON COLUMN mailboxes.arrivals IS 'Goes up whenever a target is put in, so that a mailbox is only thrown away when it is empty.';

CREATE INDEX mailboxes_due ON mailboxes (wake_at) WHERE owner IS NULL;
CREATE INDEX mailboxes_by_owner ON mailboxes (owner) WHERE owner IS NOT NULL;
