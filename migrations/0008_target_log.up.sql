-- What became of targets, for those who tell others; and what could not be done, until somebody decides about it.

CREATE TABLE target_log (
  xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
  place      bigint GENERATED ALWAYS AS IDENTITY,
  changed_at timestamptz NOT NULL,
  action_id  uuid NOT NULL,
  client_id  text COLLATE "C" NOT NULL,
  status     text COLLATE "C" NOT NULL,
  reason     text,
  progress   smallint,
  note       text,
  PRIMARY KEY (xid, place)
);
COMMENT ON TABLE target_log IS 'Every change of a target since it was accepted, for 24 hours. Rows of transactions that had all ended when a reader looked (xid below pg_snapshot_xmin) never get company before them: whoever reads those by (xid, place) misses nothing.';
COMMENT ON COLUMN target_log.xid IS 'The transaction that changed the target.';
COMMENT ON COLUMN target_log.place IS 'Of one transaction the smaller is the earlier.';
COMMENT ON COLUMN target_log.changed_at IS 'As action_targets.updated_at then.';
COMMENT ON COLUMN target_log.action_id IS 'The action.';
COMMENT ON COLUMN target_log.client_id IS 'The device; empty where the row tells that the whole action has ended.';
COMMENT ON COLUMN target_log.status IS 'The status from then on; ended = every target of the action has ended.';
COMMENT ON COLUMN target_log.reason IS 'As action_targets.reason then.';
COMMENT ON COLUMN target_log.progress IS 'As action_targets.progress then.';
COMMENT ON COLUMN target_log.note IS 'As action_targets.note then.';

CREATE TABLE target_log_readers (
  name        text COLLATE "C" PRIMARY KEY,
  xid         xid8 NOT NULL DEFAULT '0',
  place       bigint NOT NULL DEFAULT 0,
  owner       text COLLATE "C",
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
COMMENT ON TABLE target_log_readers IS 'How far target_log was told to others. One process at a time does it.';
COMMENT ON COLUMN target_log_readers.name IS 'To whom: results = the Kafka topics action.results and action.dead-letter. forgotten = nobody: rows up to here were deleted.';
COMMENT ON COLUMN target_log_readers.xid IS 'Everything up to here is told: target_log.xid.';
COMMENT ON COLUMN target_log_readers.place IS 'And of that transaction up to here.';
COMMENT ON COLUMN target_log_readers.owner IS 'Which process does it.';
COMMENT ON COLUMN target_log_readers.lease_until IS 'When another process may do it.';
INSERT INTO target_log_readers (name) VALUES ('results'), ('forgotten');

CREATE TABLE dead_letters (
  dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at             timestamptz NOT NULL DEFAULT now(),
  tenant         text COLLATE "C",
  client_id      text COLLATE "C",
  reason         text COLLATE "C" NOT NULL,
  action_id      uuid,
  status         text COLLATE "C",
  topic          text COLLATE "C",
  partition      integer,
  log_offset     bigint,
  source         text,
  detail         text,
  payload        bytea,
  state          text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
  decided_at     timestamptz,
  decided_by     text,
  note           text,
  replayed_as    uuid,
  CHECK ((action_id IS NULL) <> (topic IS NULL))
) WITH (fillfactor = 90);
COMMENT ON TABLE dead_letters IS 'Targets that ended without the device having done or refused it, and records that nobody could process.';
COMMENT ON COLUMN dead_letters.dead_letter_id IS 'Unique; of two with the same time the smaller came first.';
COMMENT ON COLUMN dead_letters.at IS 'When it came here.';
COMMENT ON COLUMN dead_letters.tenant IS 'Whose it is: the action''s tenant, or the device''s; null = an operator''s, or nobody''s.';
COMMENT ON COLUMN dead_letters.client_id IS 'The device; null where the record does not say.';
COMMENT ON COLUMN dead_letters.reason IS 'Why: a fixed word.';
COMMENT ON COLUMN dead_letters.action_id IS 'Of which action it was a target; null for a record.';
COMMENT ON COLUMN dead_letters.status IS 'With which status the target ended; null for a record.';
COMMENT ON COLUMN dead_letters.topic IS 'Where in Kafka the record is, with partition and log_offset; null for a target.';
COMMENT ON COLUMN dead_letters.partition IS 'See topic.';
COMMENT ON COLUMN dead_letters.log_offset IS 'See topic.';
COMMENT ON COLUMN dead_letters.source IS 'Where the record had come from: topic/partition/offset, or the MQTT topic.';
COMMENT ON COLUMN dead_letters.detail IS 'What was wrong, in a sentence.';
COMMENT ON COLUMN dead_letters.payload IS 'The beginning of the record''s payload.';
COMMENT ON COLUMN dead_letters.state IS 'What somebody decided; open = nothing yet.';
COMMENT ON COLUMN dead_letters.decided_at IS 'When that was.';
COMMENT ON COLUMN dead_letters.decided_by IS 'Who it was.';
COMMENT ON COLUMN dead_letters.note IS 'What he said about it.';
COMMENT ON COLUMN dead_letters.replayed_as IS 'The action that tries again.';

CREATE INDEX dead_letters_by_time ON dead_letters (at, dead_letter_id);
CREATE INDEX dead_letters_by_tenant ON dead_letters (tenant, at, dead_letter_id);
CREATE UNIQUE INDEX dead_letters_by_target ON dead_letters (action_id, client_id) WHERE action_id IS NOT NULL;

ALTER TABLE actions ADD COLUMN replay_of uuid;
COMMENT ON COLUMN actions.replay_of IS 'The action of whose dead letters this one tries some again.';

ALTER TABLE actions ADD COLUMN ended_at timestamptz;
COMMENT ON COLUMN actions.ended_at IS 'When it was noticed that every target has ended; null = some are open, or nobody has looked yet.';

ALTER TABLE audit ADD COLUMN dead_letter_id bigint;
COMMENT ON COLUMN audit.dead_letter_id IS 'Which dead letter; null where it is about none.';
ALTER TABLE audit DROP CONSTRAINT audit_deed_check;
ALTER TABLE audit ADD CONSTRAINT audit_deed_check CHECK (deed IN ('create', 'cancel', 'replay', 'discard'));

-- Triggers, so that no statement that changes a target can forget it. What is accepted is news to nobody: the caller has the
-- answer. The status says what is a dead letter: what the device has refused, or the caller has cancelled, is none.
CREATE FUNCTION is_dead_letter(status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT status IN ('expired', 'offline', 'unknown', 'unauthorised', 'undeliverable')
$$;

CREATE FUNCTION tell_of_new_targets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WITH told AS (
    INSERT INTO target_log (changed_at, action_id, client_id, status, reason)
    SELECT updated_at, action_id, client_id, status, reason FROM fresh WHERE status <> 'accepted'
    RETURNING action_id, client_id, status, reason)
  INSERT INTO dead_letters (tenant, client_id, reason, action_id, status)
  SELECT a.tenant, told.client_id, coalesce(told.reason, told.status), told.action_id, told.status
  FROM told JOIN actions a USING (action_id)
  WHERE is_dead_letter(told.status);
  RETURN NULL;
END $$;

-- For each row: a plan that joins what a statement changed with what was there before is made once, for one row or for 20,000.
CREATE FUNCTION tell_of_changed_target() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO target_log (changed_at, action_id, client_id, status, reason, progress, note)
  VALUES (NEW.updated_at, NEW.action_id, NEW.client_id, NEW.status, NEW.reason, NEW.progress, NEW.note);
  IF NEW.status <> OLD.status AND is_dead_letter(NEW.status) THEN
    INSERT INTO dead_letters (tenant, client_id, reason, action_id, status)
    SELECT tenant, NEW.client_id, coalesce(NEW.reason, NEW.status), NEW.action_id, NEW.status
    FROM actions WHERE action_id = NEW.action_id;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER action_targets_are_new AFTER INSERT ON action_targets
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tell_of_new_targets();
CREATE TRIGGER action_target_is_changed AFTER UPDATE ON action_targets FOR EACH ROW
  WHEN (NEW.status <> OLD.status OR NEW.progress IS DISTINCT FROM OLD.progress OR NEW.note IS DISTINCT FROM OLD.note)
  EXECUTE FUNCTION tell_of_changed_target();
