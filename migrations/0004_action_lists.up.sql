-- Lists of actions, the newest first: one range of one of these.
CREATE INDEX actions_by_time ON actions (created_at, action_id);
CREATE INDEX actions_by_tenant_and_time ON actions (tenant, created_at, action_id);
