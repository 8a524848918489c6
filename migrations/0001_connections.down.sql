DROP TABLE connection_events_outbox;
DROP TABLE kafka_offsets;
DROP TABLE intervals;
DROP TABLE connection_labels;
DROP FUNCTION dispatcher_label;
DROP FUNCTION tag_label;
DROP TABLE connection_descriptions;
DROP TABLE connections;
