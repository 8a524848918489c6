-- Webhooks: who is told of events by a request of ours, and how far.

CREATE TABLE webhooks (
  webhook_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant           text COLLATE "C" NOT NULL,
  name             text COLLATE "C" NOT NULL,
  url              text NOT NULL,
  types            text COLLATE "C" NOT NULL DEFAULT '',
  client_id_prefix text COLLATE "C" NOT NULL DEFAULT '',
  action_id        uuid,
  secret           text NOT NULL,
  former_secret    text,
  former_until     timestamptz,
  created_at       timestamptz NOT NULL DEFAULT now(),
  updated_at       timestamptz NOT NULL DEFAULT now(),
  revision         bigint NOT NULL DEFAULT 1,
  state            text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
  disabled_at      timestamptz,
  disabled_reason  text,
  place            text COLLATE "C" NOT NULL,
  delivered        bigint NOT NULL DEFAULT 0,
  last_success_at  timestamptz,
  last_failure_at  timestamptz,
  last_failure     text,
  last_status      integer,
  failures         bigint NOT NULL DEFAULT 0,
  failing_since    timestamptz,
  retry_at         timestamptz,
  waiting_since    timestamptz,
  ping_asked_at    timestamptz,
  ping_ended_at    timestamptz,
  ping_outcome     text,
  owner            text COLLATE "C",
  epoch            bigint NOT NULL DEFAULT 0,
  lease_until      timestamptz NOT NULL DEFAULT '-infinity',
  UNIQUE (tenant, name)
) WITH (fillfactor = 50);
COMMENT ON TABLE webhooks IS 'Receivers of events. One process at a time delivers to each.';
COMMENT ON COLUMN webhooks.webhook_id IS 'Unique, also over time: a name that is used again is another webhook.';
COMMENT ON COLUMN webhooks.tenant IS 'Whose webhook it is, and whose events it gets; empty = the operators'', and everybody''s.';
COMMENT ON COLUMN webhooks.name IS 'Unique in its tenant.';
COMMENT ON COLUMN webhooks.url IS 'Where events are posted to.';
COMMENT ON COLUMN webhooks.types IS 'The types of events that are wanted, with commas between them; empty = all.';
COMMENT ON COLUMN webhooks.client_id_prefix IS 'How the client ids begin of which events are wanted; empty = any.';
COMMENT ON COLUMN webhooks.action_id IS 'The action of which events are wanted; null = any.';
COMMENT ON COLUMN webhooks.secret IS 'Signs what is sent: whsec_ and base64. Whoever reads this can pretend to be Heliograph to the receiver.';
COMMENT ON COLUMN webhooks.former_secret IS 'The one before, which signs too until former_until.';
COMMENT ON COLUMN webhooks.former_until IS 'See former_secret.';
COMMENT ON COLUMN webhooks.created_at IS 'When it was made.';
COMMENT ON COLUMN webhooks.updated_at IS 'When a caller last changed it.';
COMMENT ON COLUMN webhooks.revision IS 'One more with each change by a caller: whoever delivers reads it again.';
COMMENT ON COLUMN webhooks.state IS 'active = events are delivered; disabled = they wait, as long as the log is kept.';
COMMENT ON COLUMN webhooks.disabled_at IS 'When that was; null = it is active.';
COMMENT ON COLUMN webhooks.disabled_reason IS 'Why: the last failure''s word.';
COMMENT ON COLUMN webhooks.place IS 'Everything up to here is delivered, or is not wanted: the id of an event.';
COMMENT ON COLUMN webhooks.delivered IS 'How many events were, repeats included.';
COMMENT ON COLUMN webhooks.last_success_at IS 'When the receiver last took something.';
COMMENT ON COLUMN webhooks.last_failure_at IS 'When it last did not.';
COMMENT ON COLUMN webhooks.last_failure IS 'Why not: a fixed word.';
COMMENT ON COLUMN webhooks.last_status IS 'What it answered then; null = nothing.';
COMMENT ON COLUMN webhooks.failures IS 'Failures since the last success.';
COMMENT ON COLUMN webhooks.failing_since IS 'The first of them.';
COMMENT ON COLUMN webhooks.retry_at IS 'Not before then is it tried again.';
COMMENT ON COLUMN webhooks.waiting_since IS 'When the event was that is next; null = none is known to wait.';
COMMENT ON COLUMN webhooks.ping_asked_at IS 'When a caller last asked for a test event.';
COMMENT ON COLUMN webhooks.ping_ended_at IS 'When it was sent; null = it is still to be.';
COMMENT ON COLUMN webhooks.ping_outcome IS 'What came of it: delivered, or why not.';
COMMENT ON COLUMN webhooks.owner IS 'Which process delivers.';
COMMENT ON COLUMN webhooks.epoch IS 'One more with each owner: what an earlier one writes has no effect.';
COMMENT ON COLUMN webhooks.lease_until IS 'When another process may deliver.';

ALTER TABLE audit ADD COLUMN webhook text COLLATE "C";
COMMENT ON COLUMN audit.webhook IS 'Which webhook; null where it is about none.';
ALTER TABLE audit DROP CONSTRAINT audit_deed_check;
ALTER TABLE audit ADD CONSTRAINT audit_deed_check CHECK (deed IN ('create', 'cancel', 'replay', 'discard', 'pause', 'resume',
  'create-webhook', 'update-webhook', 'delete-webhook', 'enable-webhook', 'test-webhook'));
