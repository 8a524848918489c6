-- Sets of devices: groups that have a name, and what a dry run found.

CREATE TABLE groups (
  group_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant     text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  selector   text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant, name)
);
COMMENT ON TABLE groups IS 'Sets of devices that callers have given a name.';
COMMENT ON COLUMN groups.group_id IS 'Unique; what group_members refers to.';
COMMENT ON COLUMN groups.tenant IS 'Whose group it is; empty = the operators'', so that the name is unique among them too.';
COMMENT ON COLUMN groups.name IS 'Unique in its tenant.';
COMMENT ON COLUMN groups.selector IS 'Which devices are in it, as JSON: looked up whenever the group is used. Null: those in group_members.';
COMMENT ON COLUMN groups.created_at IS 'When it was first put.';
COMMENT ON COLUMN groups.updated_at IS 'When it was last put.';

CREATE TABLE group_members (
  group_id  bigint NOT NULL,
  client_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (group_id, client_id)
);
COMMENT ON TABLE group_members IS 'The devices of groups that have no selector.';
COMMENT ON COLUMN group_members.group_id IS 'The group.';
COMMENT ON COLUMN group_members.client_id IS 'The device, whether it exists or not.';

-- One row for a set of any size: it is written once, read once or never, and soon deleted.
CREATE TABLE dry_runs (
  dry_run_id uuid PRIMARY KEY,
  tenant     text COLLATE "C" NOT NULL,
  meaning    text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  client_ids text[] COLLATE "C" NOT NULL,
  forbidden  text[] COLLATE "C" NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE dry_runs IS 'What requests would have acted on; kept for an hour.';
COMMENT ON COLUMN dry_runs.dry_run_id IS 'What the real request names.';
COMMENT ON COLUMN dry_runs.tenant IS 'The caller''s tenant; empty = an operator.';
COMMENT ON COLUMN dry_runs.meaning IS 'SHA-256 of what the request asks for, in hexadecimal: the real request asks for the same.';
COMMENT ON COLUMN dry_runs.created_at IS 'When the set was looked up.';
COMMENT ON COLUMN dry_runs.client_ids IS 'The set, in the order of client ids.';
COMMENT ON COLUMN dry_runs.forbidden IS 'Those of it that the caller may not act on.';
CREATE INDEX dry_runs_created_at ON dry_runs (created_at);
