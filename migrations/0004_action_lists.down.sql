DROP INDEX actions_by_tenant_and_time;
DROP INDEX actions_by_time;
