-- Actions that do not go out at once: later, slowly, few at a time, until too many fail; and those that somebody has paused.

ALTER TABLE actions
  ADD COLUMN not_before           timestamptz,
  ADD COLUMN rate_per_s           integer CHECK (rate_per_s > 0),
  ADD COLUMN max_in_flight        integer CHECK (max_in_flight > 0),
  ADD COLUMN abort_failed_percent smallint CHECK (abort_failed_percent BETWEEN 1 AND 100),
  ADD COLUMN abort_min_finished   integer CHECK (abort_min_finished > 0),
  ADD COLUMN paced                boolean NOT NULL DEFAULT false,
  ADD COLUMN paused_at            timestamptz,
  ADD COLUMN aborted_at           timestamptz,
  ADD COLUMN cancelled_at         timestamptz;
COMMENT ON COLUMN actions.not_before IS 'Nothing is published earlier; null = at once.';
COMMENT ON COLUMN actions.rate_per_s IS 'Targets published a second at most, by all processes; null = as fast as it goes.';
COMMENT ON COLUMN actions.max_in_flight IS 'Targets published and not yet ended at most; null = any number.';
COMMENT ON COLUMN actions.abort_failed_percent IS 'The rest is cancelled when so many of those that have finished have failed; null = never.';
COMMENT ON COLUMN actions.abort_min_finished IS 'But not before so many have finished.';
COMMENT ON COLUMN actions.paced IS 'Its targets are published only when action_targets.permitted.';
COMMENT ON COLUMN actions.paused_at IS 'Nothing is published since then; null = it is not paused.';
COMMENT ON COLUMN actions.aborted_at IS 'When too many had failed; null = they have not.';
COMMENT ON COLUMN actions.cancelled_at IS 'When a caller called off what was open; null = nobody has.';

-- Lists by status: few are open, fewer were stopped.
CREATE INDEX actions_open ON actions (created_at, action_id) WHERE NOT closed;
CREATE INDEX actions_stopped ON actions (created_at, action_id) WHERE cancelled_at IS NOT NULL OR aborted_at IS NOT NULL;

ALTER TABLE action_targets ADD COLUMN permitted boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN action_targets.permitted IS 'Its turn in the rollout has come: it may be published, and counts as in flight until it ends.';

CREATE TABLE rollouts (
  action_id   uuid PRIMARY KEY,
  look_at     timestamptz NOT NULL,
  in_flight   bigint NOT NULL DEFAULT 0,
  finished    bigint NOT NULL DEFAULT 0,
  failed      bigint NOT NULL DEFAULT 0,
  credit      double precision NOT NULL DEFAULT 1,
  credited_at timestamptz NOT NULL DEFAULT now(),
  moved_at    timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
COMMENT ON TABLE rollouts IS 'Actions whose targets are held back, until their deadline. Whoever lets targets go holds the row meanwhile: one process at a time.';
COMMENT ON COLUMN rollouts.action_id IS 'The action.';
COMMENT ON COLUMN rollouts.look_at IS 'When to look whether targets may go.';
COMMENT ON COLUMN rollouts.in_flight IS 'Targets that are permitted and have not ended, but for what rollout_changes still holds.';
COMMENT ON COLUMN rollouts.finished IS 'Targets that were sent and have ended before the deadline, likewise.';
COMMENT ON COLUMN rollouts.failed IS 'Those of them that have not succeeded, likewise.';
COMMENT ON COLUMN rollouts.credit IS 'How many targets the rate allowed to go at credited_at.';
COMMENT ON COLUMN rollouts.credited_at IS 'When credit was counted.';
COMMENT ON COLUMN rollouts.moved_at IS 'When a target went or ended last.';
CREATE INDEX rollouts_due ON rollouts (look_at);

-- In the order in which they go; what is let go keeps its place among all that waits for its device.
CREATE TABLE held_targets (
  action_id uuid NOT NULL,
  client_id text COLLATE "C" NOT NULL,
  place     bigint NOT NULL DEFAULT nextval('queued_targets_place_seq'),
  tries     integer NOT NULL DEFAULT 0,
  pauses    integer NOT NULL DEFAULT 0,
  PRIMARY KEY (action_id, client_id)
);
COMMENT ON TABLE held_targets IS 'Targets with the status queued that their rollout holds back, or a pause. Each is here or in queued_targets.';
COMMENT ON COLUMN held_targets.action_id IS 'The action.';
COMMENT ON COLUMN held_targets.client_id IS 'The device.';
COMMENT ON COLUMN held_targets.place IS 'As queued_targets.place.';
COMMENT ON COLUMN held_targets.tries IS 'As queued_targets.tries.';
COMMENT ON COLUMN held_targets.pauses IS 'As queued_targets.pauses.';
CREATE INDEX held_targets_in_order ON held_targets (action_id, place);

-- Only ever added to, so that devices' answers do not wait for whoever holds the rollout, nor for each other.
CREATE TABLE rollout_changes (
  action_id uuid NOT NULL,
  freed     bigint NOT NULL DEFAULT 0,
  finished  bigint NOT NULL DEFAULT 0,
  failed    bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE rollout_changes IS 'What has happened to permitted targets and is not yet counted in rollouts.';
COMMENT ON COLUMN rollout_changes.action_id IS 'The action.';
COMMENT ON COLUMN rollout_changes.freed IS 'So many fewer are in flight.';
COMMENT ON COLUMN rollout_changes.finished IS 'So many more have finished.';
COMMENT ON COLUMN rollout_changes.failed IS 'So many more have failed.';
CREATE INDEX rollout_changes_by_action ON rollout_changes (action_id);

-- What the deadline or a caller ends lets nothing more go. Of a device that was gone when its turn came nobody knows what it
-- would have done.
CREATE FUNCTION tell_rollout_of_end() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  counts CONSTANT boolean := NEW.status IN ('succeeded', 'failed')
    OR NEW.status = 'undeliverable' AND NEW.reason IS DISTINCT FROM 'not_online';
BEGIN
  INSERT INTO rollout_changes (action_id, freed, finished, failed)
  SELECT action_id, 1, counts::int, (counts AND NEW.status <> 'succeeded')::int
  FROM rollouts WHERE action_id = NEW.action_id;
  RETURN NULL;
END $$;
CREATE TRIGGER permitted_target_has_ended AFTER UPDATE ON action_targets FOR EACH ROW
  WHEN (NEW.permitted AND NEW.status <> OLD.status
        AND NEW.status IN ('succeeded', 'failed', 'undeliverable', 'unauthorised', 'unknown'))
  EXECUTE FUNCTION tell_rollout_of_end();

ALTER TABLE audit DROP CONSTRAINT audit_deed_check;
ALTER TABLE audit ADD CONSTRAINT audit_deed_check
  CHECK (deed IN ('create', 'cancel', 'replay', 'discard', 'pause', 'resume'));
