-- Who asked what of devices, and what was decided. Nothing here ever changes.

CREATE TABLE audit (
  place         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at            timestamptz NOT NULL DEFAULT now(),
  caller        text NOT NULL,
  tenant        text COLLATE "C",
  address       text NOT NULL,
  forwarded_for text,
  request_id    text NOT NULL,
  deed          text COLLATE "C" NOT NULL CHECK (deed IN ('create', 'cancel')),
  decision      text COLLATE "C" NOT NULL CHECK (decision IN ('accepted', 'refused')),
  reason        text,
  action_id     uuid,
  directive     text COLLATE "C",
  targets       bigint
);
COMMENT ON TABLE audit IS 'One row for each decision about an action.';
COMMENT ON COLUMN audit.place IS 'Unique; of two rows with the same time the smaller was written first.';
COMMENT ON COLUMN audit.at IS 'When it was decided.';
COMMENT ON COLUMN audit.caller IS 'Who asked.';
COMMENT ON COLUMN audit.tenant IS 'His tenant; null = an operator.';
COMMENT ON COLUMN audit.address IS 'Where the request came from: the last proxy, if there is one.';
COMMENT ON COLUMN audit.forwarded_for IS 'What the request said of that in X-Forwarded-For; only as good as the proxy in front.';
COMMENT ON COLUMN audit.request_id IS 'The request''s X-Request-Id, as in the log.';
COMMENT ON COLUMN audit.deed IS 'What was asked for.';
COMMENT ON COLUMN audit.decision IS 'What was decided.';
COMMENT ON COLUMN audit.reason IS 'Why it was refused: the type of the problem that was answered.';
COMMENT ON COLUMN audit.action_id IS 'Which action; null where none came to be.';
COMMENT ON COLUMN audit.directive IS 'Which handler it was for; null where the request did not say.';
COMMENT ON COLUMN audit.targets IS 'To how many devices; null where the request did not say.';

CREATE INDEX audit_by_time ON audit (at, place);
CREATE INDEX audit_by_action ON audit (action_id) WHERE action_id IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
END $$;
-- Whoever must shorten the table disables these for that moment, and leaves a trace in PostgreSQL's log.
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
