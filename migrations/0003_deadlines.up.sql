-- Every action ends: the moment by which each of its targets has a final status.

-- What was accepted before had no deadline of its own; it gets the hour that is the default now.
ALTER TABLE actions ADD COLUMN deadline timestamptz;
UPDATE actions SET deadline = created_at + interval '1 hour';
ALTER TABLE actions ALTER COLUMN deadline SET NOT NULL;
ALTER TABLE actions ADD COLUMN closed boolean NOT NULL DEFAULT false;
UPDATE actions a SET closed = true WHERE NOT EXISTS (
  SELECT FROM action_targets t WHERE t.action_id = a.action_id
    AND t.status IN ('accepted', 'queued', 'published', 'delivered', 'running'));
COMMENT ON COLUMN actions.deadline IS 'Nothing is published later, and no target is open for more than 5 s longer.';
COMMENT ON COLUMN actions.closed IS 'Every target is known to be final: nobody needs to look when the deadline passes.';

-- Whose deadline passes next.
CREATE INDEX actions_by_deadline ON actions (deadline) WHERE NOT closed;
