DROP TABLE dry_runs;
DROP TABLE group_members;
DROP TABLE groups;
