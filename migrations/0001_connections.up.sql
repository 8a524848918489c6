-- What the platform knows of every device: its connection now, every stay online, and how far the logs were read.
-- Texts that are compared or sorted have collation "C": bytes decide, so a prefix is a range of the primary key and no
-- upgrade of the operating system's locales can break an index.

CREATE TABLE connections (
  client_id text COLLATE "C" PRIMARY KEY,
  tenant text COLLATE "C",
  state text COLLATE "C" NOT NULL CHECK (state IN ('online', 'offline', 'unknown')),
  since timestamptz NOT NULL,
  reason text,
  last_seen timestamptz NOT NULL,
  session_id text COLLATE "C",
  client_name text,
  client_version text,
  log_generation integer NOT NULL,
  log_partition integer NOT NULL,
  log_offset bigint NOT NULL,
  older_than_log boolean NOT NULL DEFAULT false
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- Each list of the API is one range of one of these, in the order of client_id.
CREATE INDEX connections_by_state ON connections (state, client_id);
CREATE INDEX connections_by_tenant ON connections (tenant, client_id);
CREATE INDEX connections_by_tenant_and_state ON connections (tenant, state, client_id);
CREATE INDEX connections_by_last_seen ON connections (last_seen);

COMMENT ON TABLE connections IS 'One row for every client id that ever said something on the control channel. Written by the recorder only; a function of device.control and the owner rules';
COMMENT ON COLUMN connections.client_id IS 'The common name of its certificate, its MQTT user name and MQTT client id';
COMMENT ON COLUMN connections.tenant IS 'Who owns it by the owner rules; NULL: nobody is known to, hidden from tenants';
COMMENT ON COLUMN connections.state IS 'online, offline, or unknown: it was heard, but never said which';
COMMENT ON COLUMN connections.since IS 'When it came into this state: the time Kafka stored the record. Of an online connection, online_from of its open interval';
COMMENT ON COLUMN connections.reason IS 'Why it is in this state: said_online, said_offline, superseded, or what the device gave, as connection_lost';
COMMENT ON COLUMN connections.last_seen IS 'Record time of its newest control message';
COMMENT ON COLUMN connections.session_id IS 'Session of the stay that is, or was last; NULL: the device gives none';
COMMENT ON COLUMN connections.client_name IS 'What runs on the device, by its own word';
COMMENT ON COLUMN connections.client_version IS 'Version of what runs on the device, by its own word';
COMMENT ON COLUMN connections.log_generation IS 'Which log of that name its newest control message stands in: see kafka_offsets.generation';
COMMENT ON COLUMN connections.log_partition IS 'Partition of device.control its newest control message stands in';
COMMENT ON COLUMN connections.log_offset IS 'Offset of its newest control message';
COMMENT ON COLUMN connections.older_than_log IS 'Marked by a rebuild: the log does not reach back to what this row was made of, so it stayed as it was';

CREATE TABLE connection_descriptions (
  client_id text COLLATE "C" PRIMARY KEY,
  canonical_facts json,
  dispatchers json,
  tags json
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON TABLE connection_descriptions IS 'What devices tell of themselves. Apart from connections, which changes with every message while this seldom does; no row: nothing was ever told';
COMMENT ON COLUMN connection_descriptions.client_id IS 'As in connections';
COMMENT ON COLUMN connection_descriptions.canonical_facts IS 'What identifies the machine, as it was sent (json, not jsonb: kept byte for byte but for U+0000); NULL: nothing was sent';
COMMENT ON COLUMN connection_descriptions.dispatchers IS 'Which handlers run there, with their properties: name -> {key: value}; searched through connection_labels';
COMMENT ON COLUMN connection_descriptions.tags IS 'name -> value; searched through connection_labels';

CREATE TABLE connection_labels (
  label uuid NOT NULL,
  client_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (label, client_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON TABLE connection_labels IS 'Which connections have a tag or a dispatcher, in the order of client_id, so that a page of a list is one range of the primary key however many have it';
COMMENT ON COLUMN connection_labels.label IS 'tag_label(name, value) or dispatcher_label(name): of fixed size, whatever a device sends';
COMMENT ON COLUMN connection_labels.client_id IS 'As in connections';

CREATE FUNCTION tag_label(name text, value text) RETURNS uuid
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN encode(substring(sha256(convert_to('tag' || chr(31) || name || chr(31) || value, 'UTF8')) FOR 16), 'hex')::uuid;
COMMENT ON FUNCTION tag_label IS 'The label of all connections that have this tag with this value';

CREATE FUNCTION dispatcher_label(name text) RETURNS uuid
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN encode(substring(sha256(convert_to('dispatcher' || chr(31) || name, 'UTF8')) FOR 16), 'hex')::uuid;
COMMENT ON FUNCTION dispatcher_label IS 'The label of all connections that have this dispatcher';

CREATE FUNCTION labels_of(tags json, dispatchers json) RETURNS SETOF uuid
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT tag_label(name, value) FROM json_each_text(labels_of.tags) AS tag(name, value)
    UNION
    SELECT dispatcher_label(name) FROM json_object_keys(labels_of.dispatchers) AS dispatcher(name);
  END;
COMMENT ON FUNCTION labels_of IS 'All labels of a connection with this description, each once';

CREATE TABLE intervals (
  client_id text COLLATE "C" NOT NULL,
  online_from timestamptz NOT NULL,
  opened_generation integer NOT NULL,
  opened_partition integer NOT NULL,
  opened_offset bigint NOT NULL,
  online_until timestamptz,
  reason text,
  session_id text COLLATE "C",
  message_id text COLLATE "C",
  older_than_log boolean NOT NULL DEFAULT false,
  PRIMARY KEY (client_id, online_from, opened_generation, opened_partition, opened_offset)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);

-- For a repeat of the message that opened a stay, and for a late will of a stay that has ended.
CREATE INDEX intervals_by_session ON intervals (client_id, session_id, message_id) WHERE session_id IS NOT NULL;

COMMENT ON TABLE intervals IS 'Every stay online. Named by the position in device.control of the message that opened it, so that a rebuild gives the same rows';
COMMENT ON COLUMN intervals.client_id IS 'As in connections';
COMMENT ON COLUMN intervals.online_from IS 'Record time of the message that opened it';
COMMENT ON COLUMN intervals.opened_generation IS 'Position of the message that opened it: kafka_offsets.generation';
COMMENT ON COLUMN intervals.opened_partition IS 'Position of the message that opened it: partition';
COMMENT ON COLUMN intervals.opened_offset IS 'Position of the message that opened it: offset';
COMMENT ON COLUMN intervals.online_until IS 'Record time of what ended it; NULL: open';
COMMENT ON COLUMN intervals.reason IS 'Why it ended: said_offline, superseded, or what the device gave, as connection_lost; NULL: open';
COMMENT ON COLUMN intervals.session_id IS 'The session that the device named; NULL: it gave none';
COMMENT ON COLUMN intervals.message_id IS 'The message that opened it; NULL: it had no id';
COMMENT ON COLUMN intervals.older_than_log IS 'Marked by a rebuild: the log does not reach back to what this row was made of, so it stayed as it was';

CREATE TABLE kafka_offsets (
  topic text COLLATE "C" NOT NULL,
  partition integer NOT NULL,
  generation integer NOT NULL DEFAULT 1,
  next_offset bigint NOT NULL,
  last_record_time timestamptz,
  owner_rules text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000);

COMMENT ON TABLE kafka_offsets IS 'How far each partition was applied, committed together with what was applied. The row also fences a recorder that has lost its partition: it finds another next_offset than the one it left';
COMMENT ON COLUMN kafka_offsets.topic IS 'Name of the topic';
COMMENT ON COLUMN kafka_offsets.partition IS 'Number of the partition';
COMMENT ON COLUMN kafka_offsets.generation IS 'Counts the logs that had this name: one more when the topic was found recreated';
COMMENT ON COLUMN kafka_offsets.next_offset IS 'The first record that was not applied yet';
COMMENT ON COLUMN kafka_offsets.last_record_time IS 'Time Kafka stored the record before next_offset: by it the log is recognised, since a recreated topic has the same name; NULL: none was applied yet';
COMMENT ON COLUMN kafka_offsets.owner_rules IS 'Checksum of the owner rules by which the connections of this partition were last given their tenants';
COMMENT ON COLUMN kafka_offsets.updated_at IS 'When this row was written, by the database''s clock';

CREATE TABLE connection_events_outbox (
  log_generation integer NOT NULL,
  log_partition integer NOT NULL,
  first_offset bigint NOT NULL,
  last_offset bigint NOT NULL,
  events text NOT NULL,
  PRIMARY KEY (log_partition, log_generation, first_offset)
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- The faster of the two compressions, where this PostgreSQL has it.
DO $$ BEGIN
  ALTER TABLE connection_events_outbox ALTER COLUMN events SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;

COMMENT ON TABLE connection_events_outbox IS 'Events of committed changes that Kafka has not confirmed yet; the owner of the partition publishes them in this order and deletes what was confirmed';
COMMENT ON COLUMN connection_events_outbox.log_generation IS 'Position of the records that caused them: kafka_offsets.generation';
COMMENT ON COLUMN connection_events_outbox.log_partition IS 'Position of the records that caused them: partition of device.control';
COMMENT ON COLUMN connection_events_outbox.first_offset IS 'Offset of the record that caused the first of them';
COMMENT ON COLUMN connection_events_outbox.last_offset IS 'Offset of the record that caused the last of them';
COMMENT ON COLUMN connection_events_outbox.events IS 'One a line: client id, a tab, the CloudEvents JSON. Many in one row, because a row each costs more than the event';
